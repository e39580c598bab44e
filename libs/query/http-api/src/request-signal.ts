import { TidemarkError } from '@tidemark/ports';
import type { FastifyReply } from 'fastify';

/** Returns a signal that aborts when the caller closes the connection before the response is sent. */
export function requestSignal(reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort.abort(new TidemarkError('cancelled', 'the caller closed the connection'));
  });
  return abort.signal;
}
