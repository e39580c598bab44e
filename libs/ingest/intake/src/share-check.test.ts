import { expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, inspectShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { DEFAULT_POINT_LIMITS, SERIES_CLASS, type SeriesClass, STALE_MARKER } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { ClientDictionary } from './client-dictionary.ts';
import { shareOf } from './intake-bench.fixture.ts';
import { DEFAULT_INTAKE_LIMITS } from './intake-limits.ts';
import { Rejections } from './rejections.ts';
import { STEP_POINTS, STEP_SKETCHES } from './request-limits.ts';
import { checkShare, pointsIn } from './share-check.ts';

const LIMITS = { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS };
const NOW_MS = 1_767_225_600_000;
const ID = Buffer.alloc(16, 1);

function dictionaryOf(...classes: SeriesClass[]): ClientDictionary {
  const dictionary = new ClientDictionary(1, 0);
  for (const seriesClass of classes) {
    dictionary.add({ seriesId: ID, metricId: ID, seriesClass }, undefined);
    if (seriesClass === SERIES_CLASS.distribution) dictionary.distributions++;
  }
  return dictionary;
}

function check(share: Uint8Array, dictionary: ClientDictionary, limits = LIMITS) {
  const rejections = new Rejections();
  const checked = finishAtOnce(checkShare(share, dictionary, NOW_MS, limits, rejections));
  return { checked, reasons: rejections.list.map(({ reason, points }) => [reason, points]) };
}

test('a share without errors is accepted unchanged', () => {
  const share = shareOf([0, NOW_MS, 1], [1, NOW_MS, 2]);
  const { checked, reasons } = check(share, dictionaryOf(SERIES_CLASS.reading, SERIES_CLASS.count));
  expect(checked?.bytes).toBe(share);
  expect([checked?.summary, reasons]).toEqual([inspectShare(share), []]);
  // The share is also accepted unchanged when each point must be read, as with a distribution.
  expect(
    check(share, dictionaryOf(SERIES_CLASS.reading, SERIES_CLASS.count, SERIES_CLASS.distribution)).checked?.bytes,
  ).toBe(share);
});

test('the remaining points of a share are encoded again, with their own summary', () => {
  const share = shareOf([0, NOW_MS, 1], [0, NOW_MS + 5, Number.NaN], [1, NOW_MS + 9, 3], [4, NOW_MS, 1]);
  const dictionary = dictionaryOf(SERIES_CLASS.reading, SERIES_CLASS.reading);
  dictionary.refuse(1, { reason: 'series_over_budget', field: 'series', limit: '1 series' });
  const { checked, reasons } = check(share, dictionary);
  expect(checked?.bytes).toEqual(Uint8Array.from(shareOf([0, NOW_MS, 1])));
  expect(checked?.summary).toEqual(inspectShare(shareOf([0, NOW_MS, 1])));
  expect(Object.fromEntries(reasons)).toEqual({ value_nan: 1, series_over_budget: 1, unknown_ref: 1 });
});

test('an infinity, but not a stale marker, is refused of readings that the sender calls a counter', () => {
  const dictionary = dictionaryOf(SERIES_CLASS.reading);
  dictionary.add({ seriesId: ID, metricId: ID, seriesClass: SERIES_CLASS.reading }, undefined, true);
  expect([dictionary.seriesClass(1), dictionary.definitions(1, 2)[0].seriesClass]).toEqual([1, 1]);
  const share = shareOf(
    ...[0, 1].flatMap((ref) =>
      [1 / 0, -1 / 0, STALE_MARKER, 5].map((value, i): [number, number, number] => [ref, NOW_MS + i, value]),
    ),
  );
  const { checked, reasons } = check(share, dictionary);
  expect([checked?.summary.points, reasons]).toEqual([6, [['value_infinite', 2]]]);
});

test('an unreadable share counts as one point', () => {
  expect(check(Buffer.of(9, 9), dictionaryOf(SERIES_CLASS.reading))).toEqual({
    checked: undefined,
    reasons: [['share_malformed', 1]],
  });
  const two = shareOf([0, NOW_MS, 1], [0, NOW_MS + 1, 1]);
  expect(check(two, dictionaryOf(SERIES_CLASS.reading), { ...LIMITS, sharePoints: 1 }).reasons).toEqual([
    ['share_malformed', 1],
  ]);
});

test('the points of a batch are those of its readable shares, and at least one', () => {
  const batchOf = (...shares: Buffer[]) => ({
    ...{ sequence: 0, mapEpoch: 1, floor: 0, frontierMs: undefined, stampedMs: 0 },
    shares: shares.map((points, partition) => ({ partition, points })),
  });
  const two = shareOf([0, NOW_MS, 1], [0, NOW_MS, Buffer.from('a sketch')]);
  expect(pointsIn(batchOf(two, Buffer.of(9), two), LIMITS)).toBe(4);
  expect(pointsIn(batchOf(Buffer.of(9)), LIMITS)).toBe(1);
});

test('of a batch with many unreadable shares the last ones are not read', () => {
  const two = shareOf([0, NOW_MS, 1], [0, NOW_MS + 1, 1]);
  const shares = [two, ...Array.from({ length: 1000 }, () => Buffer.of(9)), two];
  const batch = { ...{ sequence: 0, mapEpoch: 1, floor: 0, frontierMs: undefined, stampedMs: 0 } };
  expect(pointsIn({ ...batch, shares: shares.map((points) => ({ partition: 0, points })) }, LIMITS)).toBe(2);
});

test('a large share is checked in slices, between which other shares are checked', () => {
  const dictionary = dictionaryOf(SERIES_CLASS.reading, SERIES_CLASS.distribution);
  const points = new PointColumns();
  for (let i = 0; i < 3 * STEP_POINTS; i++) points.push(0, NOW_MS + i, i % 2 === 0 ? Number.NaN : i);
  const sketches = new SketchColumns();
  const out = new ByteWriter();
  const sketch = new DDSketch();
  sketch.insert(1);
  packSketch(sketch, out);
  const payload = out.take();
  for (let i = 0; i < 2 * STEP_SKETCHES; i++) sketches.push(1, NOW_MS + i, payload);
  encodeShare(points, sketches, out);
  const large = out.take();
  const rejections = new Rejections();
  const work = checkShare(large, dictionary, NOW_MS, LIMITS, rejections);
  let slices = 0;
  let step = work.next();
  for (; step.done !== true; step = work.next()) {
    slices++;
    // It has a wrong point, so its columns are used too.
    const { checked, reasons } = check(shareOf([0, NOW_MS, Number.NaN], [0, NOW_MS, 7]), dictionary);
    expect([checked?.summary.points, reasons]).toEqual([1, [['value_nan', 1]]]);
  }
  expect(slices).toBe(2 + 3);
  expect(step.value?.summary).toMatchObject({ points: (3 * STEP_POINTS) / 2, sketches: 2 * STEP_SKETCHES });
  expect(rejections.list.map(({ reason, points: count }) => [reason, count])).toEqual([
    ['value_nan', (3 * STEP_POINTS) / 2],
  ]);
});
