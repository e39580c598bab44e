import { httpStatusOf, isTidemarkError } from '@tidemark/ports';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import type { HttpApiLimits } from './http-api-limits.ts';

/**
 * Answers errors in the format of Datadog's API, `{"errors": ["…"]}`, with code and detail in addition: the page uses
 * them to point into a query.
 */
export function errorReplies(app: FastifyInstance, limits: HttpApiLimits): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (isTidemarkError(error)) {
      const { code, detail, message } = error;
      return reply.code(httpStatusOf(code)).send({ errors: [message], code, detail });
    }
    const status = error.statusCode ?? 500;
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      const { bodyBytes: limit } = limits;
      const message = `body: too large (limit: http.bodyBytes, ${limit})`;
      return reply.code(status).send({ errors: [message], code: 'invalid_argument', detail: { field: 'body', limit } });
    }
    // Of a path that leaves the folder of the page.
    if (status === 403) {
      const message = `path: ${request.url.slice(0, SHOWN_CHARS)} (limit: the files of the page)`;
      return reply.code(status).send({ errors: [message], code: 'permission_denied', detail: { field: 'path' } });
    }
    // Other refusals of the framework are sent as they are; other errors stay in the log.
    if (status < 500) {
      const { message, detail } = refusalOf(error, request);
      return reply.code(status).send({ errors: [message], code: 'invalid_argument', detail });
    }
    request.log.error({ error: error.stack }, 'a request failed');
    return reply
      .code(500)
      .send({ errors: [`internal error; see request ${request.id} in the log`], code: 'internal', detail: {} });
  });
}

const SHOWN_CHARS = 100;
const MEDIA_TYPE = 'application/json';

/** Words the framework's refusals of a body with the field and what was found. */
function refusalOf(
  { code, message }: FastifyError,
  { headers }: FastifyRequest,
): { readonly message: string; readonly detail: Readonly<Record<string, string>> } {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE': {
      const field = 'content-type';
      const found = headers[field]?.slice(0, SHOWN_CHARS) || 'missing';
      const advice = `with curl add -H '${field}: ${MEDIA_TYPE}'`;
      return {
        message: `${field}: ${found} (limit: ${MEDIA_TYPE}); ${advice}`,
        detail: { field, limit: MEDIA_TYPE },
      };
    }
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return { message: 'body: empty', detail: { field: 'body' } };
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return { message: 'body: not JSON', detail: { field: 'body' } };
    default:
      return { message, detail: {} };
  }
}
