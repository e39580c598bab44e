import type { DatadogLimits, RequestRefusal } from '@tidemark/datadog-intake';
import { type ErrorCode, httpStatusOf, isTidemarkError } from '@tidemark/ports';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';

/** When to come again if the intake does not say it, ms. */
const RETRY_AFTER_MS = 1000;

const STATUS: Readonly<Record<RequestRefusal | 'request_too_large', number>> = {
  body_too_large: 413,
  request_too_large: 413,
  content_type_unsupported: 415,
  content_encoding_unsupported: 415,
  body_malformed: 400,
};

/** The status of a request that can never be taken, by the reason. */
export function statusOf(reason: unknown): number {
  return Object.entries(STATUS).find(([name]) => name === reason)?.[1] ?? 400;
}

/**
 * Errors with Datadog's statuses, in its shape. Agents give up a payload at 400, 403 and 413 and send it again at any
 * other, so each is what is meant.
 */
export function datadogErrors(app: FastifyInstance, { bodyBytes }: DatadogLimits): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      return refuse(reply, 413, `body: larger than it may be (limit: ${bodyBytes} bytes)`);
    }
    if (isTidemarkError(error)) return refuseFor(reply, error.code, error.message, error.detail.reason);
    const status = error.statusCode ?? 500;
    if (status < 500) return refuse(reply, status, error.message);
    request.log.error({ error: error.stack }, 'a request failed');
    return refuse(reply, 500, `internal error; request ${request.id} in the log`);
  });
}

function refuseFor(reply: FastifyReply, code: ErrorCode, message: string, reason: unknown): FastifyReply {
  switch (code) {
    case 'unauthenticated':
    case 'permission_denied':
      return refuse(reply, 403, message);
    case 'resource_exhausted':
    case 'unavailable':
      return sendAgain(reply, code, message, RETRY_AFTER_MS);
    case 'invalid_argument':
      return refuse(reply, statusOf(reason), message);
    default:
      return refuse(reply, httpStatusOf(code), message);
  }
}

/** `Retry-After` for all, and the header that Datadog's API client goes by; both in whole seconds. */
export function sendAgain(reply: FastifyReply, code: ErrorCode, message: string, retryAfterMs: number): FastifyReply {
  const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  reply.headers({ 'retry-after': seconds, 'x-ratelimit-reset': seconds });
  return refuse(reply, httpStatusOf(code), message);
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ errors: [message] });
}
