import type { PayloadForm } from '@tidemark/datadog-payload';
import type { RequestResult } from '@tidemark/intake';
import type { TidemarkError } from '@tidemark/ports';
import type { FastifyReply } from 'fastify';
import { answerOf, answerOfError, type HttpAnswer } from './request-answers.ts';

const ACCEPTED = 202;
const FORBIDDEN = 403;

/** Forms of version 1, whose answers have the field `status`. */
const WITH_STATUS: ReadonlySet<PayloadForm> = new Set(['seriesV1', 'distributions', 'checks']);

/**
 * Sends 202 with the refused points in the body, which clients do not treat as a failure; 400 when no points are
 * accepted.
 */
export function answer(reply: FastifyReply, result: RequestResult, form: PayloadForm): FastifyReply {
  const { outcome, rejections } = result;
  if (outcome === 'retry') return send(reply, answerOf(result, ACCEPTED));
  const errors = rejections.map(
    ({ points, message }) => `${points} ${points === 1 ? 'point' : 'points'} left out, ${message}`,
  );
  const status = outcome === 'acked' ? ACCEPTED : answerOf(result, ACCEPTED).status;
  if (status !== ACCEPTED || !WITH_STATUS.has(form)) return reply.code(status).send({ errors });
  return reply.code(status).send(errors.length === 0 ? { status: 'ok' } : { status: 'ok', errors });
}

/**
 * Sends an error with Datadog's statuses and body. Agents drop a payload at 400, 403 and 413 and retry at any other
 * status, so the status decides between these. Datadog answers a missing key with 403, like a wrong one.
 */
export function answerError(reply: FastifyReply, error: TidemarkError): FastifyReply {
  const refusal = answerOfError(error);
  return send(reply, error.code === 'unauthenticated' ? { ...refusal, status: FORBIDDEN } : refusal);
}

/** Sends the time to retry in `Retry-After`, and in the header that Datadog's API client reads. */
function send(reply: FastifyReply, { status, message, retryAfterSeconds }: HttpAnswer): FastifyReply {
  if (retryAfterSeconds !== undefined) {
    const seconds = String(Math.max(1, retryAfterSeconds));
    reply.headers({ 'retry-after': seconds, 'x-ratelimit-reset': seconds });
  }
  return reply.code(status).send({ errors: [message] });
}
