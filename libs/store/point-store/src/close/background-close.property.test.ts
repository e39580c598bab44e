import { expect, test } from '@jest/globals';
import { LATENESS_MS, play, script } from '@tidemark/point-log/testing';
import { isTidemarkError, type LogRecord, type Slicing } from '@tidemark/ports';
import { MemoryKeyValue, SeededRandom } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { bucketOfKey, dealOfKey, numberOfKey, PREFIX } from '../keys.ts';
import { storedTimes } from '../testing/stored-times.ts';

/** How a process reads the log, closes buckets meanwhile, fails and ends. */
const course = fc.record({
  seed: fc.nat(),
  commitRows: fc.constantFrom(1, 20, 1_000_000),
  recentBytes: fc.constantFrom(0, 500, 1_000_000),
  /** Turns of others for each of a close, at most. */
  turns: fc.constantFrom(0, 3, 40),
  /** How often a process ends between two records, and how often a write fails. */
  ends: fc.constantFrom(0, 0.02, 0.1),
  faults: fc.constantFrom(0, 0.02, 0.1),
});
type Course = { readonly [K in keyof (typeof course extends fc.Arbitrary<infer T> ? T : never)]: number };

interface Met {
  /** Records and commits during a close, and ends of the process. */
  during: number;
  ends: number;
  /** Times records that are stored at the end. */
  records: number;
}

async function wait(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
}

/** The hash of each close that was published, by bucket and offset. */
type Published = Map<string, string>;

/** Reads a log to its end as a consumer does: a commit that fails is repeated before another record is applied. */
async function read(
  records: readonly LogRecord[],
  { seed, commitRows, recentBytes, turns, ends, faults }: Course,
  retentionMs: number,
  met: Met,
) {
  const random = new SeededRandom(seed);
  const published: Published = new Map();
  const slicing: Slicing = {
    clock: { monotonicMs: () => 0 },
    ...{ sliceMs: 0, costPerCheck: 1 },
    yieldTurn: () => wait(Math.floor(random.next() * (turns + 1))),
  };
  const limits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 2000, bucketMs: 10_000, commitRows, recentBytes };
  let keyValue = new MemoryKeyValue();
  const open = () =>
    PointPartition.open({
      ...{ partition: 0, keyValue, latenessMs: () => LATENESS_MS, slicing, limits: { ...limits, retentionMs } },
    });
  let partition = await open();
  const tried = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isTidemarkError(error, 'resource_exhausted')) throw error;
      return false;
    }
  };
  let isCommitted = true;
  while (partition.nextOffset < records.length) {
    if (partition.isClosing) met.during++;
    if (random.next() < faults) Object.assign(keyValue, { failingWrites: 1, failsLate: random.next() < 0.5 });
    if (random.next() < ends) {
      if (partition.isClosing) met.ends++;
      if (random.next() < 0.3) {
        await partition.stop();
        await tried(() => partition.commit());
        partition.close();
      }
      keyValue.crash();
      keyValue = new MemoryKeyValue(keyValue.content);
      partition = await open();
      isCommitted = true;
    }
    if (!isCommitted || partition.wantsCommit || random.next() < 0.05)
      isCommitted = await tried(() => partition.commit());
    else partition.apply(records[partition.nextOffset]);
    for (const { bucketMs, offset, hash } of partition.status.stateHashes) published.set(`${bucketMs}/${offset}`, hash);
    if (random.next() < 0.5) await wait(Math.floor(random.next() * 4));
  }
  keyValue.failingWrites = 0;
  do {
    await tried(() => partition.commit());
    await tried(() => partition.whenClosed());
  } while (partition.wantsCommit || partition.isClosing);
  for (const { bucketMs, offset, hash } of partition.status.stateHashes) published.set(`${bucketMs}/${offset}`, hash);
  expect(placesOf(keyValue, PREFIX.page)).toEqual(placesOf(keyValue, PREFIX.pageIndex));
  const { there, needed } = storedTimes(keyValue);
  expect(there).toEqual(needed);
  met.records += there.length;
  return { partition, published };
}

/** The pages that have such entries. */
function placesOf({ content }: MemoryKeyValue, prefix: number): string[] {
  const keys = [...content.keys()].map((key) => Buffer.from(key, 'hex')).filter(([first]) => first === prefix);
  return [...new Set(keys.map((key) => `${bucketOfKey(key)}/${dealOfKey(key)}/${numberOfKey(key)}`))].sort();
}

test('closes in the background record the same hashes for any commits, turns, failures, kills, eras and retention', async () => {
  const met = { during: 0, ends: 0, records: 0 };
  let closed = 0;
  await fc.assert(
    fc.asyncProperty(
      script,
      fc.array(course, { minLength: 2, maxLength: 2 }),
      fc.constantFrom(0, 20_000, 40_000),
      async (steps, courses, retentionMs) => {
        const { records } = play(steps).builder;
        const calm = { seed: 1, commitRows: 20, recentBytes: 500, turns: 0, ends: 0, faults: 0 };
        const expected = await read(records, calm, retentionMs, { during: 0, ends: 0, records: 0 });
        const { stateHashes } = expected.partition.status;
        closed += stateHashes.length;
        for (const one of courses) {
          const { partition, published } = await read(records, one, retentionMs, met);
          expect(partition.status.stateHashes).toEqual(stateHashes);
          expect(await partition.stateHash()).toBe(await expected.partition.stateHash());
          for (const [key, hash] of published) expect([key, expected.published.get(key) ?? hash]).toEqual([key, hash]);
        }
      },
    ),
    { numRuns: 40 },
  );
  // Otherwise nothing was tested.
  expect(closed).toBeGreaterThan(20);
  expect(met.during).toBeGreaterThan(100);
  expect(met.ends).toBeGreaterThan(5);
  expect(met.records).toBeGreaterThan(0);
});
