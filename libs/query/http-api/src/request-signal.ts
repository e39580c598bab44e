import { TidemarkError } from '@tidemark/ports';
import type { FastifyReply } from 'fastify';

/** Aborts when the caller hangs up before the answer is out. */
export function requestSignal(reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort.abort(new TidemarkError('cancelled', 'the caller has hung up'));
  });
  return abort.signal;
}
