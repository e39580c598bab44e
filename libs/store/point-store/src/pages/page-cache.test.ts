import { expect, test } from '@jest/globals';
import { LogBuilder, type TestPoint } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import type { KeyRange, KeyValueWrite } from '@tidemark/ports';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';
import { PageCache } from './page-cache.ts';

const BUCKET_MS = 100_000;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 10_000, bucketMs: BUCKET_MS };
const START_MS = 1_700_000_000_000;
const SERIES = [1, 5, 9];

/** Counts reads, and fails writes behind their effect. */
class WatchedKeyValue extends MemoryKeyValue {
  reads = 0;
  isFailing = false;

  override entries(range: KeyRange) {
    this.reads++;
    return super.entries(range);
  }

  override async write(batch: readonly KeyValueWrite[]): Promise<void> {
    await super.write(batch);
    if (this.isFailing) throw new Error('the disk has failed');
  }
}

/** A partition that was started again, so that nothing of its first points is in RAM. */
class Restarted {
  readonly builder = new LogBuilder();
  readonly #limits: typeof LIMITS;
  keyValue: WatchedKeyValue;
  partition!: PointPartition;
  #sequence = 0;

  private constructor(content: Content, limits: typeof LIMITS) {
    this.keyValue = new WatchedKeyValue(content);
    this.#limits = limits;
  }

  static async open(limits = LIMITS): Promise<Restarted> {
    const own = new Restarted(new Map(), limits);
    await own.restart();
    own.partition.apply(own.builder.bare(RECORD.open, 0, START_MS));
    return own;
  }

  async restart(): Promise<void> {
    this.keyValue = new WatchedKeyValue(this.keyValue.content);
    const { keyValue } = this;
    this.partition = await PointPartition.open({
      partition: 0,
      keyValue,
      limits: this.#limits,
      latenessMs: () => 3000,
    });
  }

  write(points: readonly TestPoint[], markMs = START_MS): void {
    this.partition.apply(this.builder.block(0, markMs, [{ client: 0, sequence: this.#sequence++, points }]));
  }

  /** The values of each series, second by second, and how often the disk was read for them. */
  async ask(series: readonly number[] = SERIES) {
    const before = this.keyValue.reads;
    const range = { fromMs: START_MS, toMs: START_MS + 10_000, stepMs: 1000 };
    const { values } = await valuesOf(this.partition, requestOf(series, range, 'last'));
    return { values, reads: this.keyValue.reads - before };
  }

  get cachedBytes(): number {
    return this.partition.status.memory.find(({ part }) => part === 'cached_pages')?.bytes ?? Number.NaN;
  }
}

const at = (series: number, second: number, value: number) => ({
  series,
  timeMs: START_MS + 1000 * second,
  value,
});

async function withPoints(limits = LIMITS): Promise<Restarted> {
  const own = await Restarted.open(limits);
  own.write(SERIES.flatMap((series) => [at(series, 0, series), at(series, 1, series + 0.5)]));
  await own.partition.commit();
  await own.restart();
  return own;
}

test('a query that was asked before reads nothing from disk', async () => {
  const own = await withPoints();
  const first = await own.ask();
  expect(first.values.map(([a, b]) => [a, b])).toEqual(SERIES.map((series) => [series, series + 0.5]));
  expect(first.reads).toBeGreaterThan(0);
  expect(own.cachedBytes).toBeGreaterThan(0);
  expect(await own.ask()).toEqual({ values: first.values, reads: 0 });
});

test('commits add to what is cached: points of known series, and new ones', async () => {
  const own = await withPoints();
  await own.ask();
  own.write([at(1, 2, 7), at(1, 1, 8)]);
  await own.partition.commit();
  own.write([at(13, 1, 9)]);
  await own.partition.commit();
  const { values } = await own.ask([1, 5, 13]);
  expect(values.map((steps) => steps.slice(0, 3))).toEqual([
    // Points of a count with the same time add up.
    [1, 9.5, 7],
    [5, 5.5, undefined],
    [undefined, 9, undefined],
  ]);
  await own.restart();
  expect((await own.ask([1, 5, 13])).values).toEqual(values);
});

test.each([true, false])(
  'a commit that is stored and fails counts no point twice, cached before: %s',
  async (isCached) => {
    const own = await withPoints();
    const count = async () => (await own.ask()).values.map((steps) => steps.slice(0, 3));
    const expected = [
      [1, 1.5, 7],
      [5, 5.5, undefined],
      [9, 9.5, undefined],
    ];
    if (isCached) await count();
    own.write([at(1, 2, 7)]);
    own.keyValue.isFailing = true;
    await expect(own.partition.commit()).rejects.toThrow('the disk has failed');
    expect(await count()).toEqual(expected);
    own.keyValue.isFailing = false;
    await own.partition.commit();
    expect(await count()).toEqual(expected);
    await own.restart();
    expect(await count()).toEqual(expected);
  },
);

test('pages that are merged when their bucket closes replace those that are cached', async () => {
  const own = await withPoints();
  const before = await own.ask();
  for (let second = 2; second < 6; second++) {
    own.write(SERIES.map((series) => at(series, second, second)));
    await own.partition.commit();
  }
  const all = await own.ask();
  expect(all.values.map((steps) => steps.slice(0, 2))).toEqual(before.values.map((steps) => steps.slice(0, 2)));
  for (let second = 0; second < 4; second++) own.write([], START_MS + 2 * BUCKET_MS + 1000 * second);
  own.builder.nextEpoch(0);
  while (own.partition.wantsCommit) await own.partition.commit();
  await own.partition.commit();
  await own.partition.whenClosed();
  expect((await own.ask()).values).toEqual(all.values);
  const { memory, stateHashes } = own.partition.status;
  expect(stateHashes.length).toBe(1);
  await own.restart();
  expect((await own.ask()).values).toEqual(all.values);
  expect(memory.find(({ part }) => part === 'cached_pages')?.bytes).toBeGreaterThan(0);
});

test('what is known of buckets and metrics without pages is counted, and evicted', async () => {
  const FAMILIES = 200;
  const cacheOf = (shareBytes: number) => new PageCache(new MemoryKeyValue(), async () => undefined, shareBytes);
  const wide = cacheOf(1e9);
  for (let bucket = 0; bucket < FAMILIES; bucket++) {
    expect(await wide.deals(bucket)).toEqual([]);
    expect(wide.bytes).toBeGreaterThanOrEqual(64 * (bucket + 1));
  }
  const ofDeals = wide.bytes;
  for (let family = 0; family < FAMILIES; family++) {
    expect(await wide.index({ bucket: 0, deal: 1, family })).toEqual([]);
    expect(wide.bytes - ofDeals).toBeGreaterThanOrEqual(256 * (family + 1));
  }
  wide.drop(0);
  expect(wide.bytes).toBe((ofDeals * (FAMILIES - 1)) / FAMILIES);
  wide.close();
  expect(wide.bytes).toBe(0);
  const narrow = cacheOf(1000);
  for (let bucket = 0; bucket < FAMILIES; bucket++) {
    expect(await narrow.deals(bucket)).toEqual([]);
    expect(await narrow.index({ bucket, deal: 1, family: 1 })).toEqual([]);
    expect(narrow.bytes).toBeLessThanOrEqual(1000);
  }
});

test('a query reads nothing of the buckets in which its series have no points', async () => {
  const own = await Restarted.open();
  const BUCKETS = 20;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    own.write([
      at(1, (bucket * BUCKET_MS) / 1000, 1),
      ...(bucket === 7 ? [at(2, (bucket * BUCKET_MS) / 1000, 5)] : []),
    ]);
  }
  await own.partition.commit();
  await own.restart();
  const before = own.keyValue.reads;
  const range = { fromMs: START_MS, toMs: START_MS + BUCKETS * BUCKET_MS, stepMs: BUCKET_MS };
  const { values } = await valuesOf(own.partition, requestOf([2], range, 'last'));
  expect(values).toEqual([Array.from({ length: BUCKETS }, (_, bucket) => (bucket === 7 ? 5 : undefined))]);
  // The deals of the bucket, in two reads, the index of the metric, and the page.
  expect(own.keyValue.reads - before).toBe(4);
});

test('what is cached has a limit of bytes, and answers do not depend on it', async () => {
  const wide = await withPoints();
  const none = await withPoints({ ...LIMITS, recentBytes: 0 });
  expect((await none.ask()).values).toEqual((await wide.ask()).values);
  expect((await none.ask()).reads).toBeGreaterThan(0);
  expect(none.cachedBytes).toBe(0);
});
