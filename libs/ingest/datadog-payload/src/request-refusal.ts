import { limitError, TidemarkError } from '@tidemark/ports';

/** Reason why a whole request is refused. All other errors of a request have the platform's own reasons. */
export type RequestRefusal = 'body_too_large' | 'body_malformed' | 'content_type' | 'content_encoding';

/** Builds the error of a refused request: `invalid_argument` with `reason`, `field` and `limit` in its detail. */
export function requestRefusal(
  reason: RequestRefusal,
  field: string,
  limit: string | number,
  message: string,
): TidemarkError {
  return limitError(field, message, limit, reason);
}

/** Builds the error of a body whose bytes are wrong: `body: what`, without a limit that the sender could keep. */
export function wrongBody(limit: string, what: string): TidemarkError {
  const reason: RequestRefusal = 'body_malformed';
  return new TidemarkError('invalid_argument', `body: ${what}`, { reason, field: 'body', limit });
}

const HEADER_SHOWN_CHARS = 100;

/** Builds the error of a header with an unsupported value, with what to do if `advice` has it. */
export function wrongHeader(
  header: 'content-type' | 'content-encoding',
  found: string,
  limit: string,
  advice = '',
): TidemarkError {
  const reason = header === 'content-type' ? 'content_type' : 'content_encoding';
  const { message, detail } = requestRefusal(reason, header, limit, found.slice(0, HEADER_SHOWN_CHARS) || 'empty');
  return new TidemarkError('invalid_argument', `${message}${advice}`, detail);
}

/** Builds the error of a body that does not have its content type, with the place of the wrong bytes. */
export function malformed(format: 'JSON' | 'protobuf', message: string): TidemarkError {
  return requestRefusal('body_malformed', 'body', `${format} of a metric payload`, message);
}

export function tooLarge(field: string, limit: number, message: string): TidemarkError {
  return requestRefusal('body_too_large', field, limit, message);
}

/** Builds the error of a body that has more bytes than its sender may send after decoding; `found` as far as it is known. */
export function tooManyDecoded(limit: number, found = 'too many bytes'): TidemarkError {
  const message = `body: ${found} after decoding (limit: datadog.decodedBytes, ${limit})`;
  const reason: RequestRefusal = 'body_too_large';
  return new TidemarkError('invalid_argument', message, { reason, field: 'body', limit });
}
