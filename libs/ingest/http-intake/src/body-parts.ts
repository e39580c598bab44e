import { errorCodes, type FastifyContentTypeParser } from 'fastify';

/**
 * Returns a parser that keeps a body of up to `limitBytes` as the received parts. Callers that copy the body elsewhere
 * need no buffer for all of it. Bytes above the limit are not read.
 */
export function bodyParts(limitBytes: number): FastifyContentTypeParser {
  return (request, payload, done) => {
    if (Number(request.headers['content-length']) > limitBytes) {
      done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      return;
    }
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const end = (error: Error | null, body?: readonly Uint8Array[]) => {
      payload.off('data', onData).off('end', onEnd).off('error', onError);
      done(error, body);
    };
    const onData = (part: Uint8Array) => {
      bytes += part.length;
      if (bytes > limitBytes) end(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      else parts.push(part);
    };
    const onEnd = () => end(null, parts);
    // The sender closed the connection or violated HTTP.
    const onError = (error: Error) => end(Object.assign(error, { statusCode: 400 }));
    payload.on('data', onData).on('end', onEnd).on('error', onError);
  };
}
