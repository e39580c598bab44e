import { describe, expect, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { type Slicing, TidemarkError, type WorkSlice } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { SharedLock } from '../state/shared-lock.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';
import { collectUnlessCommitWaits } from './commit-patience.ts';

const TURN_MS = 100;
const START_MS = 1_700_000_000_000;

/** Turns that take 100 ms each, and run `turn`. */
function slicing(turn: (turns: number) => void = () => undefined) {
  const sliced = {
    turns: 0,
    nowMs: 0,
    clock: { monotonicMs: () => sliced.nowMs },
    sliceMs: 0,
    yieldTurn: async () => {
      sliced.nowMs += TURN_MS;
      turn(++sliced.turns);
    },
  };
  return sliced satisfies Slicing & object;
}

/** A collection of `turns` turns. */
async function collectIn(turns: number, slice: WorkSlice): Promise<string> {
  for (let i = 0; i < turns; i++) await slice.next();
  return 'collected';
}

describe('a collection of pages', () => {
  test('is not ended while no commit waits, however long it takes', async () => {
    const sliced = slicing();
    const found = collectUnlessCommitWaits(new SharedLock(), sliced, undefined, (slice) => collectIn(100, slice));
    await expect(found).resolves.toBe('collected');
    expect(sliced.turns).toBe(100);
  });

  test('lets a commit in after half a second, and begins again after it', async () => {
    const lock = new SharedLock();
    let commitAt = 0;
    const sliced = slicing((turns) => {
      if (turns !== 3) return;
      void lock.write(async () => {
        commitAt = sliced.turns;
      });
    });
    const found = collectUnlessCommitWaits(lock, sliced, undefined, (slice) => collectIn(20, slice));
    await expect(found).resolves.toBe('collected');
    expect(commitAt).toBe(8);
    expect(sliced.turns).toBe(8 + 20);
  });

  test('does not end for a commit that gets its turn in time', async () => {
    const lock = new SharedLock();
    const sliced = slicing((turns) => {
      if (turns === 3) void lock.write(async () => undefined);
    });
    await collectUnlessCommitWaits(lock, sliced, undefined, (slice) => collectIn(7, slice));
    expect(sliced.turns).toBe(7);
  });

  test('ends although commits follow each other without a pause, as those of a bucket that closes do', async () => {
    const lock = new SharedLock();
    let commits = 0;
    let isClosing = false;
    const close = async (): Promise<void> => {
      for (isClosing = true; isClosing && commits < 1000; ) {
        await lock.write(async () => {
          commits++;
        });
      }
    };
    const sliced = slicing((turns) => {
      if (turns === 1) void close();
    });
    const found = collectUnlessCommitWaits(lock, sliced, undefined, (slice) => collectIn(70, slice));
    await expect(found).resolves.toBe('collected');
    isClosing = false;
    // A commit got its turn after 0.5, 1, 2 and 4 s; the try that was given 8 s ended within 7 s.
    expect(commits).toBeGreaterThanOrEqual(4);
    expect(sliced.turns).toBeGreaterThan(70 + 5 + 10 + 20 + 40);
    expect(sliced.turns).toBeLessThan(70 + 80);
    await lock.write(async () => undefined);
  });

  test('ends when its query has ended, however often it began again', async () => {
    const lock = new SharedLock();
    const query = new AbortController();
    const sliced = slicing((turns) => {
      if (turns % 8 === 1) void lock.write(async () => undefined);
      if (turns === 50) query.abort(new TidemarkError('deadline_exceeded', 'the query took 5 s'));
    });
    const found = collectUnlessCommitWaits(lock, sliced, query.signal, (slice) => collectIn(1000, slice));
    await expect(found).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(sliced.turns).toBe(50);
    // The lock is free.
    await lock.write(async () => undefined);
  });
});

test('a long query does not hold back the commits of its partition, and its answer is whole', async () => {
  const SERIES = Array.from({ length: 6000 }, (_, i) => i * 4);
  const COMMITS = 12;
  let whileCollecting: (() => void) | undefined;
  const sliced = slicing(() => whileCollecting?.());
  const partition = await PointPartition.open({
    ...{ partition: 0, keyValue: new MemoryKeyValue(), latenessMs: () => 3000, slicing: sliced },
    // Pages are read from disk, one by one.
    limits: { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 100_000, bucketMs: 1_000_000, recentBytes: 0 },
  });
  const builder = new LogBuilder();
  partition.apply(builder.bare(RECORD.open, 0, START_MS));
  const write = (round: number): void => {
    const points = SERIES.map((series) => ({ series, timeMs: START_MS + round * 1000, value: round }));
    partition.apply(builder.block(0, START_MS, [{ client: 0, sequence: round, points }]));
  };
  for (let round = 0; round < COMMITS; round++) {
    write(round);
    await partition.commit();
  }
  write(COMMITS);
  let committedAfter: number | undefined;
  const began = sliced.turns;
  whileCollecting = () => {
    whileCollecting = undefined;
    void partition.commit().then(() => {
      committedAfter = sliced.turns - began;
    });
  };
  const range = { fromMs: START_MS, toMs: START_MS + 20_000, stepMs: 20_000 };
  const { reply } = await valuesOf(partition, requestOf(SERIES, range, 'count'));
  expect(reply.pointsRead).toBe(SERIES.length * (COMMITS + 1));
  // Collecting takes more turns than a commit waits for.
  expect(sliced.turns - began).toBeGreaterThan(10);
  expect(committedAfter).toBeLessThanOrEqual(7);
  expect(partition.committedOffset).toBe(partition.nextOffset);
});
