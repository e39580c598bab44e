import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unpackPartial } from '@tidemark/fold';
import { KIND } from '@tidemark/model';
import { LogBuilder, type TestPoint } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import { MemoryKeyValue } from '@tidemark/simulation';
import { INCREASE_LOOKBACK_MS } from './aggregate-plan.ts';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition, type Slicing } from './index.ts';
import { requestOf, valuesOf } from './testing/aggregates.ts';

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
    const request = requestOf(KIND.gauge, SERIES, RANGE, 'sum');
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
    const request = requestOf(KIND.gauge, SERIES, RANGE, 'sum');
    await expect(partition.aggregate(request, abort.signal)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(sliced.turns).toBe(2);
    await partition.commit();
    await expect(partition.aggregate(request, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect((await partition.aggregate(request)).pointsRead).toBe(MANY * 150);
  });
});

describe('answers', () => {
  test('answers count an increase from the newest value of the ten minutes before, in RAM or on disk', async () => {
    const lookback = INCREASE_LOOKBACK_MS / 1000;
    for (const commits of [0, 1, 2]) {
      const own = await open();
      own.write([at(2, 0, 10), at(6, 0, 10), at(6, 1, 11)]);
      if (commits > 0) await own.partition.commit();
      own.write([at(2, lookback + 1, 15), at(6, lookback + 1, 15), at(6, lookback + 2, 3)]);
      if (commits > 1) await own.partition.commit();
      const fromMs = START_MS + (lookback + 1) * 1000;
      const range = { fromMs, toMs: fromMs + 10_000, stepMs: 10_000 };
      const { values } = await valuesOf(own.partition, requestOf(KIND.counter, [2, 6], range, 'increase'));
      // The first value of series 2 is one second too old; series 6 has a reset.
      expect(values).toEqual([[undefined], [15 - 11 + 3]]);
    }
  });

  test('answers name the watermark that the known tags cover', async () => {
    const own = await open();
    own.write([at(0, 1, 1)], START_MS + 1_000, 5);
    own.write([at(0, 2, 1)], START_MS + 2_000, 5);
    own.write([at(0, 3, 1)], START_MS + 3_000, 8);
    await own.partition.commit();
    const range = { fromMs: START_MS, toMs: START_MS + 10_000, stepMs: 10_000 };
    const covered = async (tagsOffset: number) => {
      const { coveredWatermarkMs } = await own.partition.aggregate(
        requestOf(KIND.gauge, [0], range, 'last', { tagsOffset }),
      );
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
      const reply = await own.partition.aggregate(requestOf(KIND.distribution, [3], range, 'sketch'));
      const { count, sum, min, max, last, lastTime, sketches } = reply.groups[0];
      const partial = unpackPartial(7, 1, { count, sum, min, max, last, lastTime, sketches });
      const read = (type: 'sketch-count' | 'sketch-sum' | 'sketch-max') => partial.values({ type })[0];
      return [read('sketch-count'), read('sketch-sum'), read('sketch-max')];
    };
    own.write([at(3, 1, 5), at(3, 1, 6)]);
    expect(await quantiles()).toEqual([2, 11, 6]);
    await own.partition.commit();
    own.write([at(3, 1, 7), at(3, 0, 1)]);
    expect(await quantiles()).toEqual([4, 19, 7]);
    own.partition.apply(own.builder.bare(RECORD.mark, 0, START_MS + 2_200_000));
    await own.partition.commit();
    expect(own.partition.status.stateHashes).toHaveLength(1);
    expect(await quantiles()).toEqual([4, 19, 7]);
  });

  test('answers are of one moment each during commits and merges', async () => {
    const keyValue = new MemoryKeyValue();
    const own = await open(keyValue);
    const range = { fromMs: START_MS, toMs: START_MS + 3_000_000, stepMs: 3_000_000 };
    const request = requestOf(KIND.gauge, [0], range, 'count');
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
      const request = requestOf(KIND.counter, [2, 6, 10], range, fold);
      expect((await valuesOf(partition, request)).values).toEqual((await valuesOf(memory.partition, request)).values);
    }
    await keyValue.close();
    await rm(folder, { recursive: true });
  });
});
