import { beforeEach, describe, expect, test } from '@jest/globals';
import { ByteWriter, IdHash } from '@tidemark/bytes';
import { PointSorter } from '@tidemark/columns';
import { KIND } from '@tidemark/model';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { ArrivedRequests } from './arrived-requests.ts';
import { BatchFiller } from './batch-filler.ts';
import type { BatchTarget } from './batch-target.ts';
import { type BatchOutcome, GatheredBatch, SpareParts } from './gathered-batch.ts';
import { IntakeBench, metricIn, TENANT } from './intake-bench.fixture.ts';
import { Rejections } from './rejections.ts';
import {
  DEFAULT_REQUEST_LIMITS,
  type RequestLimits,
  SKETCH_BYTES,
  STEP_POINTS,
  STEP_SKETCHES,
} from './request-limits.ts';
import { RequestPoints } from './request-points.ts';
import { TenantBatcher } from './tenant-batcher.ts';

/** Takes each batch as soon as it is added; the test settles them. */
class ManualTarget implements BatchTarget {
  readonly batches: GatheredBatch[] = [];
  readonly outcomes: BatchOutcome[] = [];
  completions = 0;
  gathering = new GatheredBatch(new SpareParts());

  added(settled: BatchOutcome): void {
    this.batches.push(this.gathering);
    this.outcomes.push(settled);
    this.gathering = new GatheredBatch(new SpareParts());
  }

  complete(): void {
    this.completions++;
  }

  /** Numbers of a partition by batch, as pairs of ref and value. */
  numbers(partition: number): number[][][] {
    return this.batches.map((batch) => {
      const { refs, values, length } = batch.part(partition).points;
      return Array.from({ length }, (_, i) => [refs[i], values[i]]);
    });
  }
}

async function setUp() {
  const bench = await IntakeBench.open();
  const session = await bench.session();
  await bench.until(() => session.isReady);
  const limits = DEFAULT_REQUEST_LIMITS;
  const own = { clock: bench.clock, random: bench.world.random, sorter: new PointSorter(), spares: new SpareParts() };
  const idHash = IdHash.withoutKey();
  const batcher = new TenantBatcher({
    session,
    tenant: TENANT,
    limits,
    idHash,
    arrived: new ArrivedRequests(),
    ...own,
  });
  return { batcher, nowMs: bench.acceptClock.nowMs() };
}

function sketchPayload(...values: number[]): Uint8Array {
  const sketch = new DDSketch();
  for (const value of values) sketch.insert(value);
  const out = new ByteWriter();
  packSketch(sketch, out);
  return out.take();
}

describe('the filler of batches', () => {
  let batcher: TenantBatcher;
  let nowMs: number;
  let target: ManualTarget;
  let rejections: Rejections;
  let points: RequestPoints;
  beforeEach(async () => {
    ({ batcher, nowMs } = await setUp());
    target = new ManualTarget();
    rejections = new Rejections();
    points = new RequestPoints();
  });

  const gauge = (partition: number, tag = 'a:1') => batcher.series(metricIn(partition), KIND.gauge, [tag]);
  const reasons = () => rejections.list.map(({ reason, points }) => [reason, points]);
  const fill = (limits: Partial<RequestLimits> = {}, settled: BatchOutcome = () => undefined) =>
    new BatchFiller(batcher, target, { ...DEFAULT_REQUEST_LIMITS, ...limits }, rejections).fill(points, settled);

  test('adds each good number to the part of its partition, with its ref and whole milliseconds', async () => {
    const [zero, one, other] = [gauge(0), gauge(1), gauge(0, 'a:2')];
    points.addNumber(zero, nowMs + 0.75, 10);
    points.addNumber(one, nowMs, 20);
    points.addNumber(other, nowMs, 30);
    expect(await fill()).toBe(3);
    expect(target.numbers(0)).toEqual([
      [
        [0, 10],
        [1, 30],
      ],
    ]);
    expect(target.numbers(1)).toEqual([[[0, 20]]]);
    expect(target.batches[0].part(0).points.timesMs[0]).toBe(nowMs);
    expect(target.batches[0].points).toBe(3);
    expect(target.completions).toBe(1);
  });

  test('counts each bad point under its reason, and adds the good ones around it', async () => {
    const handle = gauge(0);
    const count = batcher.series(metricIn(0), KIND.count, []);
    points.addNumber(handle, nowMs, 1);
    points.addNumber(handle, nowMs, Number.NaN);
    points.addNumber(handle, nowMs + 1e12, 2);
    points.addNumber(count, nowMs, Number.POSITIVE_INFINITY);
    points.addNumber(batcher.series('', KIND.gauge, []), nowMs, 3);
    points.addNumber(handle, nowMs, Number.POSITIVE_INFINITY);
    expect(await fill()).toBe(2);
    expect(target.numbers(0)).toEqual([
      [
        [0, 1],
        [0, Number.POSITIVE_INFINITY],
      ],
    ]);
    expect(rejections.points).toBe(4);
    expect(reasons()).toEqual(
      expect.arrayContaining([
        ['value_nan', 1],
        ['timestamp_ahead', 1],
        ['value_infinite', 1],
      ]),
    );
  });

  test('adds numbers in batches of at most batchPoints, and leaves out a batch without a good one', async () => {
    const handle = gauge(0);
    for (let i = 0; i < 7; i++) points.addNumber(handle, nowMs, i === 2 || i === 3 ? Number.NaN : i);
    expect(await fill({ batchPoints: 2 })).toBe(5);
    expect(target.numbers(0).map((batch) => batch.map(([, value]) => value))).toEqual([[0, 1], [4, 5], [6]]);
  });

  test('closes a batch of sketches at batchPoints, and at batchBytes of memory', async () => {
    const handle = batcher.series(metricIn(1), KIND.distribution, []);
    const payload = sketchPayload(1, 2, 3);
    for (let i = 0; i < 5; i++) points.addSketch(handle, nowMs + i, payload);
    const sizes = () => target.batches.map((batch) => batch.part(1).sketches.length);
    expect(await fill({ batchPoints: 2 })).toBe(5);
    expect(sizes()).toEqual([2, 2, 1]);
    target = new ManualTarget();
    expect(await fill({ batchBytes: (payload.length + SKETCH_BYTES) * 3 })).toBe(5);
    expect(sizes()).toEqual([3, 2]);
  });

  test('refuses a number for a distribution, a sketch for a gauge, and bytes that are not a sketch', async () => {
    const distribution = batcher.series(metricIn(0), KIND.distribution, []);
    points.addNumber(distribution, nowMs, 1);
    points.addSketch(gauge(0), nowMs, sketchPayload(1));
    points.addSketch(distribution, nowMs, Uint8Array.of(255, 255));
    expect(await fill()).toBe(0);
    expect(reasons()).toEqual([
      ['kind_mismatch', 2],
      ['sketch_invalid', 1],
    ]);
    expect(target.batches).toEqual([]);
  });

  test('reports once, after the last batch, the partitions that did not store all of it', async () => {
    const handle = gauge(0);
    for (let i = 0; i < 3; i++) points.addNumber(handle, nowMs, i);
    const reports: number[][] = [];
    await fill({ batchPoints: 1 }, (notStored) => reports.push([...notStored]));
    target.outcomes[2](new Set());
    target.outcomes[0](new Set([1]));
    expect(reports).toEqual([]);
    target.outcomes[1](new Set([0, 1]));
    expect(reports).toEqual([[1, 0]]);
  });

  test('reports a request without a good point as stored, at once', async () => {
    const reports: number[] = [];
    points.addNumber(gauge(0), nowMs, Number.NaN);
    expect(await fill({}, (notStored) => reports.push(notStored.size))).toBe(0);
    expect(reports).toEqual([0]);
  });

  test.each(['numbers', 'sketches'] as const)(
    'judges many %s in steps of bounded work, each of which is settled',
    async (kind) => {
      const isSketch = kind === 'sketches';
      const step = isSketch ? STEP_SKETCHES : STEP_POINTS;
      const handle = isSketch ? batcher.series(metricIn(1), KIND.distribution, []) : gauge(0);
      const payload = sketchPayload(1);
      const count = 2 * step + 3;
      for (let i = 0; i < count; i++) {
        if (isSketch) points.addSketch(handle, nowMs + i, payload);
        else points.addNumber(handle, nowMs, i);
      }
      expect(points.isOneStep).toBe(false);
      const judged: number[] = [];
      let before = 0;
      const pause = async () => {
        const now = target.batches.reduce((sum, batch) => sum + batch.points, 0);
        if (now > before) judged.push(now - before);
        before = now;
      };
      const reports: number[] = [];
      const filler = new BatchFiller(batcher, target, DEFAULT_REQUEST_LIMITS, rejections);
      expect(await filler.fill(points, (notStored) => reports.push(notStored.size), pause)).toBe(count);
      expect(judged).toEqual([step, step, 3]);
      expect(reports).toEqual([]);
      for (const settle of target.outcomes) settle(new Set());
      expect(reports).toEqual([0]);
    },
  );

  test('lets other work have its turn after each batch of a large request', async () => {
    const handle = gauge(0);
    for (let i = 0; i < 6; i++) points.addNumber(handle, nowMs, i);
    const seen: number[] = [];
    const pause = async () => void seen.push(target.batches.length);
    const limits = { ...DEFAULT_REQUEST_LIMITS, batchPoints: 2 };
    const filler = new BatchFiller(batcher, target, limits, rejections);
    expect(await filler.fill(points, () => undefined, pause)).toBe(6);
    expect(seen.slice(-3)).toEqual([1, 2, 3]);
    expect(target.completions).toBe(1);
  });
});
