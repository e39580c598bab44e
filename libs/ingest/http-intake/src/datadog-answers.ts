import type { RequestResult } from '@tidemark/intake';
import type { TidemarkError } from '@tidemark/ports';
import type { FastifyReply } from 'fastify';
import { answerOf, answerOfError, type HttpAnswer } from './request-answers.ts';

const ACCEPTED = 202;
const FORBIDDEN = 403;

/** 202 with what was left out, which no client takes for a failure; 400 when nothing is left. */
export function answer(reply: FastifyReply, result: RequestResult): FastifyReply {
  const { outcome, rejections } = result;
  if (outcome === 'retry') return send(reply, answerOf(result, ACCEPTED));
  const errors = rejections.map(
    ({ points, message }) => `${points} ${points === 1 ? 'point' : 'points'} left out, ${message}`,
  );
  const status = outcome === 'acked' ? ACCEPTED : answerOf(result, ACCEPTED).status;
  return reply.code(status).send({ errors });
}

/**
 * Errors with Datadog's statuses, in its shape. Agents give up a payload at 400, 403 and 413 and send it again at any
 * other, so each is what is meant. A key that is missing is 403 there, as one that is wrong.
 */
export function answerError(reply: FastifyReply, error: TidemarkError): FastifyReply {
  const refusal = answerOfError(error);
  return send(reply, error.code === 'unauthenticated' ? { ...refusal, status: FORBIDDEN } : refusal);
}

/** When to come again stands in `Retry-After`, and in the header that Datadog's API client goes by. */
function send(reply: FastifyReply, { status, message, retryAfterSeconds }: HttpAnswer): FastifyReply {
  if (retryAfterSeconds !== undefined) {
    const seconds = String(Math.max(1, retryAfterSeconds));
    reply.headers({ 'retry-after': seconds, 'x-ratelimit-reset': seconds });
  }
  return reply.code(status).send({ errors: [message] });
}
