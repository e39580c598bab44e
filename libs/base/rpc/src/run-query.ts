import type { ClientReadableStream } from '@grpc/grpc-js';
import type { QueryReply } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import { callStream } from './server-stream.ts';

/**
 * Starts a call of `Query.Run` and returns the whole answer. Errors: those of the call, and `unavailable` when the answer
 * ended before its last message.
 */
export async function runQuery(
  start: () => ClientReadableStream<QueryReply>,
  signal?: AbortSignal,
): Promise<QueryReply> {
  const messages = await callStream(start, signal);
  const last = messages.at(-1);
  if (last === undefined || last.series.length > 0) {
    throw new TidemarkError('unavailable', `the answer ended after ${messages.length} messages, before its last one`);
  }
  return { ...last, series: messages.flatMap(({ series }) => series) };
}
