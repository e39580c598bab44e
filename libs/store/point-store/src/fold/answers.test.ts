import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unpackPartial } from '@tidemark/fold';
import { LogBuilder, type TestPoint } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { type Slicing, TidemarkError } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';

const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 100_000, bucketMs: 1_000_000 };
const START_MS = 1_700_000_000_000;

class Writer {
  readonly builder = new LogBuilder();
  readonly partition: PointPartition;
  #sequence = 0;

  constructor(partition: PointPartition) {
    this.partition = partition;
    partition.apply(this.builder.bare(RECORD.open, 0, START_MS));
  }

  write(points: readonly TestPoint[], markMs = START_MS, tagsOffset = 0): void {
    const span = { client: 0, sequence: this.#sequence++, points };
    this.partition.apply(this.builder.block(0, markMs, [span], { tagsOffset }));
  }
}

async function open(keyValue = new MemoryKeyValue()): Promise<Writer> {
  const options = { partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3_000 };
  return new Writer(await PointPartition.open(options));
}

const at = (series: number, seconds: number, value: number) => ({ series, timeMs: START_MS + seconds * 1000, value });

/** A clock that each reading advances by a slice, and turns that run `turn`. */
function slicing(turn: (turns: number) => Promise<void> | void): Slicing & { turns: number } {
  let nowMs = 0;
  const sliced = {
    turns: 0,
    clock: { monotonicMs: () => nowMs++ },
    sliceMs: 1,
    yieldTurn: async () => turn(++sliced.turns),
  };
  return sliced;
}

describe('long answers', () => {
  const MANY = 40;
  const SERIES = Array.from({ length: MANY }, (_, i) => i * 4);
  const RANGE = { fromMs: START_MS, toMs: START_MS + 1_000_000, stepMs: 1000 };

  async function filled(sliced: Slicing): Promise<Writer> {
    const options = { partition: 0, keyValue: new MemoryKeyValue(), limits: LIMITS, latenessMs: () => 3_000 };
    const own = new Writer(await PointPartition.open({ ...options, slicing: sliced }));
    for (let round = 0; round < 3; round++) {
      own.write(SERIES.flatMap((one) => Array.from({ length: 50 }, (_, i) => at(one, round * 50 + i, one + i))));
      if (round < 2) await own.partition.commit();
    }
    return own;
  }

  test('long answers yield to records that are applied and committed meanwhile, and are still as of one offset', async () => {
    let own: Writer | undefined;
    let committing: Promise<void> | undefined;
    const sliced = slicing(async (turns) => {
      if (own === undefined || committing !== undefined) return;
      own.write(SERIES.map((one) => at(one, 500 + turns, -1)));
      // A commit waits for the collection, so this test must not await it here.
      committing = own.partition.commit().finally(() => {
        committing = undefined;
      });
    });
    own = await filled(sliced);
    const request = requestOf(SERIES, RANGE, 'sum');
    const before = own.partition.nextOffset;
    const { reply, values } = await valuesOf(own.partition, request);
    expect(sliced.turns).toBeGreaterThan(3);
    expect(own.partition.nextOffset).toBeGreaterThan(before);
    expect(reply).toMatchObject({ offset: before, pointsRead: MANY * 150 });
    expect(values.map((steps) => steps.filter((value) => value !== undefined))).toEqual(
      SERIES.map((one) => Array.from({ length: 150 }, (_, i) => one + (i % 50))),
    );
  });

  test('long answers end when their caller has gone, and leave the partition free', async () => {
    const abort = new AbortController();
    const sliced = slicing((turns) => {
      if (turns === 2) abort.abort(new TidemarkError('deadline_exceeded', 'too late'));
    });
    const { partition } = await filled(sliced);
    const request = requestOf(SERIES, RANGE, 'sum');
    await expect(partition.aggregate(request, abort.signal)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(sliced.turns).toBe(2);
    await partition.commit();
    await expect(partition.aggregate(request, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect((await partition.aggregate(request)).pointsRead).toBe(MANY * 150);
  });
});

describe('answers', () => {
  test.each(['recent', 'not recent'])(
    'find the readings next to the range however far away they are, %s',
    async (where) => {
      const limits = { ...LIMITS, recentBytes: where === 'recent' ? LIMITS.recentBytes : 0 };
      const own = new Writer(
        await PointPartition.open({ partition: 0, keyValue: new MemoryKeyValue(), limits, latenessMs: () => 3_000 }),
      );
      const day = 86_400;
      own.write([at(2, 0, 10), at(6, -5 * day, 100)]);
      await own.partition.commit();
      own.write([at(2, 9 * day, 10 + 9 * day), at(6, -4.5 * day, 400)]);
      await own.partition.commit();
      const range = { fromMs: START_MS + 4 * day * 1000, toMs: START_MS + 5 * day * 1000, stepMs: day * 500 };
      const { values } = await valuesOf(own.partition, requestOf([2, 6], range, 'increase'));
      expect(values).toEqual([
        [day / 2, day / 2],
        [undefined, undefined],
      ]);
      const first = { fromMs: START_MS - 4.75 * day * 1000, toMs: START_MS - 4.25 * day * 1000, stepMs: day * 250 };
      const early = await valuesOf(own.partition, requestOf([2, 6], first, 'increase'));
      expect(early.values).toEqual([
        [undefined, undefined],
        [150, undefined],
      ]);
    },
  );

  test('find enough timestamps next to the range where many points have one', async () => {
    for (const commits of [0, 1]) {
      const own = await open();
      for (let second = -60; second < 60; second += 10) {
        for (let i = 0; i < 30; i++) own.write([at(1, second, 1)]);
        if (commits > 0) await own.partition.commit();
      }
      const range = { fromMs: START_MS + 3_000, toMs: START_MS + 8_000, stepMs: 5_000 };
      const { values } = await valuesOf(own.partition, requestOf([1], range, 'sum'));
      // 30 a timestamp, spread over the ten seconds between two.
      expect(values).toEqual([[15]]);
    }
  });

  test.each([
    ['series', 10_000_000, undefined],
    ['metric', 0, 10_000_000],
  ])(
    'take in amounts whose interval, stated of the %s, reaches over any number of points',
    async (_, ofSeriesMs, intervalMs) => {
      for (const commits of [0, 1]) {
        const own = await open();
        own.builder.statedMsOf = () => ofSeriesMs;
        for (let second = -4_900; second < 0; second += 100) {
          own.write([at(1, second, 1_000)]);
          if (commits > 0) await own.partition.commit();
        }
        const range = { fromMs: START_MS + 3_000, toMs: START_MS + 13_000, stepMs: 10_000 };
        const { values } = await valuesOf(own.partition, requestOf([1], range, 'sum', { intervalMs }));
        // 1 of each of the 49 amounts, which are spread over 10,000 s.
        expect(values[0][0]).toBeCloseTo(49, 9);
      }
    },
  );

  test('use the interval of the metric where a series states none', async () => {
    const own = await open();
    own.write([at(2, 0, 5)]);
    const span = { client: 1, sequence: 0, points: [at(6, 0, 5)], intervalMs: 20_000 };
    own.partition.apply(own.builder.block(0, START_MS, [span], { tagsOffset: 0 }));
    const range = { fromMs: START_MS, toMs: START_MS + 60_000, stepMs: 10_000 };
    const held = async (series: number, intervalMs?: number) => {
      const { reply, values } = await valuesOf(own.partition, requestOf([series], range, 'last', { intervalMs }));
      return [values[0].filter((value) => value === 5).length, reply.intervalMs];
    };
    expect(await held(2)).toEqual([3, 0]);
    expect(await held(2, 4000)).toEqual([1, 4000]);
    expect(await held(6, 4000)).toEqual([5, 20_000]);
  });

  test('over counters are known through the oldest last reading of those that still report', async () => {
    const own = await open();
    const every = (series: number, seconds: number, count: number) =>
      Array.from({ length: count }, (_, i) => at(series, i * seconds, i));
    // Series 2 reports every 10 s until 90 s, series 6 every 15 s until 75 s, series 10 was silent from 40 s on.
    own.write([...every(2, 10, 10), ...every(6, 15, 6), ...every(10, 10, 5)], START_MS + 100_000);
    const range = { fromMs: START_MS, toMs: START_MS + 120_000, stepMs: 10_000 };
    const reply = async (series: readonly number[], change = {}) => {
      const asked = requestOf(series, { ...range, ...change }, 'rate');
      const { knownThroughMs, intervalMs } = await own.partition.aggregate(asked);
      return [(knownThroughMs ?? Number.NaN) - START_MS, intervalMs];
    };
    expect(await reply([2])).toEqual([90_000, 10_000]);
    expect(await reply([2, 6])).toEqual([75_000, 15_000]);
    expect(await reply([10])).toEqual([Number.NaN, 10_000]);
    // Each has a reading at or after the end of this range.
    expect(await reply([2, 6], { toMs: START_MS + 60_000 })).toEqual([Number.NaN, 15_000]);
  });

  test('count restarts of counters, and dips that are none', async () => {
    const own = await open();
    own.write([at(2, 0, 100), at(2, 10, 110), at(2, 20, 5), at(2, 30, 4.9), at(2, 40, 6)]);
    const range = { fromMs: START_MS, toMs: START_MS + 60_000, stepMs: 60_000 };
    const reply = await own.partition.aggregate(requestOf([2], range, 'increase'));
    expect(reply).toMatchObject({ restarts: 1, dips: 1 });
  });

  test('name the watermark through which the tag store knew enough', async () => {
    const own = await open();
    own.write([at(0, 1, 1)], START_MS + 1_000, 5);
    own.write([at(0, 2, 1)], START_MS + 2_000, 5);
    own.write([at(0, 3, 1)], START_MS + 3_000, 8);
    await own.partition.commit();
    const range = { fromMs: START_MS, toMs: START_MS + 10_000, stepMs: 10_000 };
    const covered = async (tagsOffset: number) => {
      const { coveredWatermarkMs } = await own.partition.aggregate(requestOf([0], range, 'last', { tagsOffset }));
      expect(own.partition.coveredWatermarkMs(tagsOffset)).toBe(coveredWatermarkMs);
      return (coveredWatermarkMs ?? Number.NaN) - START_MS;
    };
    // A block is covered once the tags that it needs are; a block that needs more was applied at the watermark before
    // it.
    expect(await covered(4)).toBe(0);
    expect(await covered(5)).toBe(2_000);
    expect(await covered(7)).toBe(2_000);
    expect(await covered(8)).toBe(3_000);
  });

  test('answers include all sketches of one timestamp, in RAM, on disk and merged', async () => {
    const own = await open();
    const range = { fromMs: START_MS, toMs: START_MS + 10_000, stepMs: 10_000 };
    const quantiles = async () => {
      const reply = await own.partition.aggregate(requestOf([3], range, 'sketch'));
      const partial = unpackPartial(7, 1, reply.groups[0]);
      const [sketch] = partial.sketches;
      return [sketch?.count, sketch?.sum, partial.values({ type: 'sketch-max' })[0]];
    };
    own.write([at(3, 1, 5), at(3, 1, 6)]);
    expect(await quantiles()).toEqual([2, 11, 6]);
    await own.partition.commit();
    own.write([at(3, 1, 7), at(3, 0, 1)]);
    expect(await quantiles()).toEqual([4, 19, 7]);
    own.partition.apply(own.builder.bare(RECORD.mark, 0, START_MS + 2_200_000));
    await own.partition.commit();
    await own.partition.whenClosed();
    expect(own.partition.status.stateHashes).toHaveLength(1);
    expect(await quantiles()).toEqual([4, 19, 7]);
  });

  test('answers are of one moment each during commits and merges', async () => {
    const keyValue = new MemoryKeyValue();
    const own = await open(keyValue);
    const range = { fromMs: START_MS, toMs: START_MS + 3_000_000, stepMs: 3_000_000 };
    const request = requestOf([0], range, 'count');
    const asked: Promise<void>[] = [];
    const ask = () => {
      const points = own.partition.status.points;
      const offset = own.partition.nextOffset;
      asked.push(
        valuesOf(own.partition, request).then(({ reply, values }) => {
          expect(reply.offset).toBeGreaterThanOrEqual(offset);
          // Each record from 1 on has one point, except for the marks.
          expect(values[0][0]).toBeGreaterThanOrEqual(points);
          expect(values[0][0]).toBeLessThanOrEqual(reply.offset);
        }),
      );
    };
    for (let i = 0; i < 40; i++) {
      own.write([at(0, i, i)], START_MS + i * 50_000);
      ask();
      let release = () => {};
      keyValue.gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const committed = own.partition.commit();
      ask();
      await Promise.resolve();
      ask();
      release();
      await committed;
    }
    await Promise.all(asked);
    expect(own.partition.status.stateHashes.length).toBeGreaterThan(0);
  });

  test('answers are the same from RocksDB as from memory, also after a kill', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-'));
    const options = { partition: 0, limits: LIMITS, latenessMs: () => 3_000 };
    const memory = await open();
    let keyValue = await openRocksDb(join(folder, 'p'));
    let partition = await PointPartition.open({ ...options, keyValue });
    for (let i = 0; i < 60; i++) {
      const points = Array.from({ length: 12 }, (_, series) => at(series, i * 37 - (i % 7) * 100, i + series / 10));
      memory.write(points, START_MS + i * 37_000);
      while (partition.nextOffset < memory.builder.records.length) {
        partition.apply(memory.builder.records[partition.nextOffset]);
        if (partition.wantsCommit) await partition.commit();
      }
      if (i % 20 !== 19) continue;
      await keyValue.close();
      keyValue = await openRocksDb(join(folder, 'p'));
      partition = await PointPartition.open({ ...options, keyValue });
    }
    while (partition.nextOffset < memory.builder.records.length) {
      partition.apply(memory.builder.records[partition.nextOffset]);
      if (partition.wantsCommit) await partition.commit();
    }
    expect(await partition.stateHash()).toBe(await memory.partition.stateHash());
    expect(partition.status.stateHashes.length).toBeGreaterThan(0);
    const range = { fromMs: START_MS, toMs: START_MS + 2_000_000, stepMs: 300_000 };
    for (const fold of ['sum', 'last', 'increase'] as const) {
      const request = requestOf([2, 6, 10], range, fold);
      expect((await valuesOf(partition, request)).values).toEqual((await valuesOf(memory.partition, request)).values);
    }
    await keyValue.close();
    await rm(folder, { recursive: true });
  });
});
