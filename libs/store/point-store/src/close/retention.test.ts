import { describe, expect, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { bucketOfKey, PREFIX } from '../keys.ts';
import { requestOf } from '../testing/aggregates.ts';

const BUCKET_MS = 10_000;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1000, bucketMs: BUCKET_MS, retentionMs: 5 * BUCKET_MS };

const RANGE = { fromMs: 0, toMs: 200_000, stepMs: 10_000 };

/** A partition whose log has a point a second, each of a series that no other second has. */
class Aging {
  readonly builder = new LogBuilder();
  readonly keyValue: MemoryKeyValue;
  partition: PointPartition;
  #sequence = 0;

  private constructor(keyValue: MemoryKeyValue, partition: PointPartition) {
    this.keyValue = keyValue;
    this.partition = partition;
    this.builder.bare(RECORD.open, 0, 0);
  }

  static async open(keyValue = new MemoryKeyValue()): Promise<Aging> {
    return new Aging(keyValue, await openPartition(keyValue));
  }

  /** The log up to a time; reads it with all commits. */
  async until(fromMs: number, toMs: number): Promise<void> {
    for (let timeMs = fromMs; timeMs < toMs; timeMs += 1000) this.#second(timeMs);
    await this.read();
  }

  async read(): Promise<void> {
    const { partition, builder } = this;
    for (const record of builder.records.slice(partition.nextOffset)) {
      partition.apply(record);
      if (partition.wantsCommit) await partition.commit();
    }
    await partition.whenClosed();
  }

  #second(timeMs: number): void {
    this.point(timeMs, timeMs / 1000, timeMs);
    this.builder.nextEpoch(0);
  }

  /** Logs a point that arrives at `nowMs`. */
  point(nowMs: number, series: number, timeMs: number): void {
    const points = [{ series, timeMs, value: 1 }];
    this.builder.block(0, nowMs, [{ client: 0, sequence: this.#sequence++, points }]);
  }

  buckets(prefix: number = PREFIX.page): number[] {
    const keys = [...this.keyValue.content.keys()].map((key) => Buffer.from(key, 'hex'));
    return [...new Set(keys.filter(([first]) => first === prefix).map(bucketOfKey))].sort((a, b) => a - b);
  }
}

function openPartition(keyValue: MemoryKeyValue): Promise<PointPartition> {
  return PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000 });
}

describe('retention', () => {
  test('deletes buckets whose whole time is longer ago, with what is known of them', async () => {
    const aging = await Aging.open();
    await aging.until(1000, 200_000);
    const buckets = aging.buckets();
    expect(buckets[0]).toBeGreaterThanOrEqual(13);
    expect(buckets).toContain(15);
    expect(aging.buckets(PREFIX.activity)).toEqual(buckets);
    const { deletedBeforeMs } = await aging.partition.aggregate(requestOf([2], RANGE, 'last'));
    expect(deletedBeforeMs).toBe(buckets[0] * BUCKET_MS);
    const reopened = await openPartition(aging.keyValue);
    expect(await reopened.stateHash()).toBe(await aging.partition.stateHash());
  });

  test('deletes no more than two buckets for each one that closes, although the clock was set ahead', async () => {
    const aging = await Aging.open();
    await aging.until(1000, 50_000);
    const before = aging.buckets();
    aging.builder.bare(RECORD.mark, 0, 365 * 86_400_000);
    await aging.read();
    expect(aging.buckets()).toEqual(before.slice(2));
  });

  test('completes a deletion that a crash has interrupted, and expires no more for that', async () => {
    const aging = await Aging.open();
    await aging.until(1000, 95_000);
    const { content } = aging.keyValue;
    const before = new Map(content);
    await aging.until(95_000, 105_000);
    // As if the process had died after the last close, before it deleted anything.
    const [firstKept] = aging.buckets();
    for (const [key, value] of before) {
      const bytes = Buffer.from(key, 'hex');
      const isOfPages = bytes[0] === PREFIX.page || bytes[0] === PREFIX.pageIndex;
      if (isOfPages && bucketOfKey(bytes) < firstKept) content.set(key, value);
    }
    aging.partition = await openPartition(aging.keyValue);
    await aging.read();
    const reference = await Aging.open();
    await reference.until(1000, 105_000);
    expect(aging.buckets()).not.toEqual(reference.buckets());
    // Another replica has deleted them already: the two must not be reported as different.
    expect(await aging.partition.stateHash()).toBe(await reference.partition.stateHash());
    await aging.until(105_000, 115_000);
    await reference.until(105_000, 115_000);
    expect(aging.buckets()).toEqual(reference.buckets());
  });

  test('deletes late points of a bucket that had expired, also after a restart', async () => {
    const aging = await Aging.open();
    await aging.until(1000, 95_000);
    const [firstKept] = aging.buckets();
    const expired = firstKept - 1;
    // Of a series that had points there.
    aging.point(95_000, expired * 10, expired * BUCKET_MS);
    await aging.read();
    await aging.partition.commit();
    expect(aging.buckets()[0]).toBe(expired);
    expect(aging.buckets(PREFIX.pageIndex)).toEqual(aging.buckets());
    expect(aging.buckets(PREFIX.activity)).toEqual(aging.buckets());
    aging.partition = await openPartition(aging.keyValue);
    await aging.until(96_000, 130_000);
    expect(aging.buckets()[0]).toBeGreaterThan(firstKept);
    expect(aging.buckets(PREFIX.pageIndex)).toEqual(aging.buckets());
  });

  test('deletes pages of expired buckets that no index names', async () => {
    const aging = await Aging.open();
    await aging.until(1000, 95_000);
    const { content } = aging.keyValue;
    const before = new Map(content);
    const [firstKept] = aging.buckets();
    await aging.until(95_000, 125_000);
    expect(aging.buckets()[0]).toBeGreaterThan(firstKept);
    for (const [key, value] of before) if (Buffer.from(key, 'hex')[0] === PREFIX.page) content.set(key, value);
    expect(aging.buckets()[0]).toBe(firstKept);
    aging.partition = await openPartition(aging.keyValue);
    await aging.until(125_000, 145_000);
    expect(aging.buckets()).toEqual(aging.buckets(PREFIX.pageIndex));
  });

  test('keeps everything when it is 0', async () => {
    const keyValue = new MemoryKeyValue();
    const limits = { ...LIMITS, retentionMs: 0 };
    const partition = await PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 3000 });
    const aging = await Aging.open(keyValue);
    aging.partition = partition;
    await aging.until(1000, 100_000);
    expect(aging.buckets()[0]).toBe(0);
  });
});
