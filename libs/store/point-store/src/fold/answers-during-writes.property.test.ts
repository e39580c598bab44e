import { expect, test } from '@jest/globals';
import type { Slicing } from '@tidemark/ports';
import { MemoryKeyValue, SeededRandom } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS, PageCodec, PointPartition, type PointStoreLimits } from '../index.ts';
import { ask, BUCKET_MS, LATENESS_MS, type Question, question, StoryLog, story } from '../testing/stories.ts';

/** How partitions of one thread read their logs while they answer. */
const course = fc.record({
  seed: fc.nat(),
  /** One and the same codec is that of one partition, or of two. */
  partitions: fc.constantFrom(1, 2),
  /** How much of a query is done between two turns of others. */
  costPerCheck: fc.constantFrom(1, 64, 512),
  commitRows: fc.constantFrom(1, 20, 1_000_000),
  recentBytes: fc.constantFrom(0, 500, 1_000_000),
});

interface Counts {
  answers: number;
  /** Of queries while which records were applied. */
  during: number;
}

/** Lets all others have some turns. */
async function wait(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
}

/** Reads a log to its end, and asks meanwhile. Each answer must be that of the records below its offset. */
async function read(
  log: StoryLog,
  partition: PointPartition,
  questions: readonly Question[],
  random: SeededRandom,
  counts: Counts,
): Promise<void> {
  const asked: Promise<void>[] = [];
  const askNow = async (what: Question) => {
    const since = partition.nextOffset;
    const { offset, bits } = await ask(partition, what);
    counts.answers++;
    if (partition.nextOffset > since) counts.during++;
    expect({ what, offset, bits }).toEqual({ what, offset, bits: log.answerTo(what, offset) });
  };
  while (partition.wantsCommit || partition.nextOffset < log.records.length) {
    if (random.next() < 0.4) asked.push(askNow(questions[Math.floor(random.next() * questions.length)]));
    if (random.next() < 0.05) asked.push(partition.stateHash().then(() => undefined));
    if (partition.wantsCommit || random.next() < 0.05) await partition.commit();
    else partition.apply(log.records[partition.nextOffset]);
    await wait(Math.floor(random.next() * 5));
  }
  await Promise.all(asked);
}

test('a query during records, commits, closes and state hashes answers for the records below its offset', async () => {
  const counts = { answers: 0, during: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(story, { minLength: 2, maxLength: 2 }),
      fc.array(question, { minLength: 6, maxLength: 6 }),
      course,
      async (stories, questions, { seed, partitions, costPerCheck, ...limits }) => {
        const random = new SeededRandom(seed);
        const slicing: Slicing = {
          clock: { monotonicMs: () => 0 },
          ...{ sliceMs: 0, costPerCheck },
          yieldTurn: () => wait(1 + Math.floor(random.next() * 3)),
        };
        const codec = new PageCodec();
        const logs = stories.slice(0, partitions).map((told) => new StoryLog(told));
        const opened = logs.map(() => open(codec, slicing, limits));
        await Promise.all(logs.map(async (log, i) => read(log, await opened[i], questions, random, counts)));
      },
    ),
    { numRuns: 40 },
  );
  // Most of them must have met writes, or nothing was tested.
  expect(counts.during).toBeGreaterThan(counts.answers / 2);
});

function open(codec: PageCodec, slicing: Slicing, limits: Partial<PointStoreLimits>): Promise<PointPartition> {
  return PointPartition.open({
    ...{ partition: 0, keyValue: new MemoryKeyValue(), latenessMs: () => LATENESS_MS, codec, slicing },
    limits: { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 2000, bucketMs: BUCKET_MS, ...limits },
  });
}
