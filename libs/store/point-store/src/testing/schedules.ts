import { deepStrictEqual } from 'node:assert/strict';
import { type Content, MemoryKeyValue, passRecord } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { ask, BUCKET_MS, LATENESS_MS, question, type StoryLog } from './stories.ts';

const event = fc.oneof(fc.constantFrom('commit' as const, 'stop' as const, 'crash' as const), question);
/** How a partition commits, stops, and is asked while it reads a log. */
export const schedule = fc.record({
  commitRows: fc.constantFrom(1, 20, 1_000_000),
  recentBytes: fc.constantFrom(0, 500, 1_000_000),
  /** What happens after the record of a round. */
  events: fc.array(fc.tuple(fc.nat(60), event), { maxLength: 16 }),
});
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

/** A partition that has read a log, and what its database has. */
export interface Consumed {
  readonly partition: PointPartition;
  readonly content: Content;
}

/** Reads the log as a partition's consumer does. Answers that are asked meanwhile must be those of the log. */
export async function consume(log: StoryLog, { commitRows, recentBytes, events }: Schedule): Promise<Consumed> {
  const content: Content = new Map();
  const limits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 2000, bucketMs: BUCKET_MS, commitRows, recentBytes };
  let keyValue = new MemoryKeyValue(content);
  const open = () => {
    keyValue.crash();
    keyValue = new MemoryKeyValue(content);
    return PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => LATENESS_MS });
  };
  const pending = [...events];
  let partition = await open();
  while (partition.wantsCommit || partition.nextOffset < log.records.length) {
    if (partition.wantsCommit) {
      await partition.commit();
      continue;
    }
    const { nextOffset } = partition;
    passRecord(log.records[nextOffset], PointPartition.prototype.apply.bind(partition));
    for (let i = pending.length - 1; i >= 0; i--) {
      const [offset, what] = pending[i];
      if (offset !== nextOffset || partition.wantsCommit) continue;
      pending.splice(i, 1);
      if (typeof what !== 'string') {
        deepStrictEqual((await ask(partition, what)).bits, log.answerTo(what, nextOffset + 1));
        continue;
      }
      if (what !== 'crash') await partition.commit();
      if (what !== 'commit') {
        partition = await open();
        break;
      }
    }
  }
  await partition.whenClosed();
  return { partition, content };
}
