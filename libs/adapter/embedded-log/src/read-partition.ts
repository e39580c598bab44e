import { type LogRecord, limitError, type ReadOptions, TidemarkError, type Topic } from '@tidemark/ports';
import { trimmed } from './partition-files.ts';
import type { WaitingReads } from './waiting-reads.ts';

/** The readable range of a partition at the moment of each access. */
export interface ReadableRange {
  readonly topic: Topic;
  readonly partition: number;
  readonly first: number;
  readonly next: number;
  /** Throws when the log was closed. */
  checkOpen(): void;
}

/**
 * The `read` of the log port: checks that `from` is in the range, waits once for a first record, then fetches the
 * records below `next`. A wait that ends without a record, or by `signal`, returns no records.
 */
export async function readFromPartition(
  range: ReadableRange,
  waiting: WaitingReads,
  from: number,
  options: ReadOptions,
  fetch: (next: number) => LogRecord[] | Promise<LogRecord[]>,
): Promise<LogRecord[]> {
  range.checkOpen();
  check(range, from);
  if (from === range.next) {
    if (options.waitMs <= 0 || options.signal?.aborted) return [];
    await waiting.wait(options.waitMs, options.signal);
    range.checkOpen();
    check(range, from);
    if (options.signal?.aborted) return [];
  }
  return from === range.next ? [] : fetch(range.next);
}

function check({ topic, partition, first, next }: ReadableRange, from: number): void {
  if (!Number.isSafeInteger(from) || from < 0) {
    throw limitError('from', String(from), 'an integer from 0');
  }
  if (from < first) throw trimmed(topic, partition, from);
  if (from > next) {
    throw new TidemarkError(
      'out_of_range',
      `offset ${from} of ${topic} partition ${partition} is beyond the end of the log: the next offset is ${next}`,
      { topic, partition, offset: from, next },
    );
  }
}
