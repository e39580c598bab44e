import { httpStatusOf, isTidemarkError } from '@tidemark/ports';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { HttpApiLimits } from './http-api-limits.ts';

/**
 * Errors as Datadog's API has them, `{"errors": ["…"]}`, with our code and detail beside: what the page needs to point
 * into a query.
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
      const message = `body: larger than it may be (limit: ${limit} bytes)`;
      return reply.code(status).send({ errors: [message], code: 'invalid_argument', detail: { field: 'body', limit } });
    }
    // What the framework refuses (a wrong content type, bad JSON) speaks for itself; anything else stays in the log.
    if (status < 500) return reply.code(status).send({ errors: [error.message], code: 'invalid_argument', detail: {} });
    request.log.error({ error: error.stack }, 'a request failed');
    return reply
      .code(500)
      .send({ errors: [`internal error; request ${request.id} in the log`], code: 'internal', detail: {} });
  });
}
