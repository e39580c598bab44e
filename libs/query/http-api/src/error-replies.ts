import { httpStatusOf, isTidemarkError } from '@tidemark/ports';
import type { FastifyError, FastifyInstance } from 'fastify';
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
      const message = `body: too large (limit: ${limit} bytes)`;
      return reply.code(status).send({ errors: [message], code: 'invalid_argument', detail: { field: 'body', limit } });
    }
    // Refusals of the framework (a wrong content type, bad JSON) are sent as they are; other errors stay in the log.
    if (status < 500) return reply.code(status).send({ errors: [error.message], code: 'invalid_argument', detail: {} });
    request.log.error({ error: error.stack }, 'a request failed');
    return reply
      .code(500)
      .send({ errors: [`internal error; see request ${request.id} in the log`], code: 'internal', detail: {} });
  });
}
