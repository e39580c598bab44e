import { describe, expect, test } from '@jest/globals';
import { NOTHING_STATED, SERIES_CLASS } from '@tidemark/model';
import { MemoryKeyValue } from '@tidemark/simulation';
import { IntervalsAt } from './intervals-at.ts';
import { PointLogState } from './point-log-state.ts';
import { SeriesIntervals } from './series-intervals.ts';
import { LogBuilder } from './testing/index.ts';

const NEVER = Number.NEGATIVE_INFINITY;

describe('stated intervals', () => {
  test('a series keeps its first interval for all of its points, and a new one holds from its block on', () => {
    const intervals = new SeriesIntervals();
    intervals.state(0, 10_000, 5_000, true);
    intervals.state(0, 10_000, 6_000, false);
    intervals.state(0, 0, 7_000, false);
    expect(intervals.of(0)).toEqual({ sinceMs: [NEVER], intervalsMs: [10_000] });
    intervals.state(0, 60_000, 8_000, false);
    expect(intervals.of(0)).toEqual({ sinceMs: [NEVER, 8_000], intervalsMs: [10_000, 60_000] });
    // A block with older points does not go back behind the statement before it.
    intervals.state(0, 10_000, 3_000, false);
    expect(intervals.of(0).sinceMs).toEqual([NEVER, 8_000, 8_001]);
    expect(intervals.of(5_000)).toEqual(NOTHING_STATED);
  });

  test('an interval that is stated later holds from its block on', () => {
    const intervals = new SeriesIntervals();
    intervals.state(7, 0, 1_000, true);
    intervals.state(7, 15_000, 2_000, false);
    expect(intervals.of(7)).toEqual({ sinceMs: [2_000], intervalsMs: [15_000] });
  });

  test('a sender that changes its interval all the time fills a bounded list', () => {
    const intervals = new SeriesIntervals();
    for (let i = 0; i < 1_000; i++) intervals.state(0, 1_000 + (i % 2), i, i === 0);
    expect(intervals.of(0).sinceMs).toHaveLength(64);
  });

  test('what was stated at a moment does not change with later statements', () => {
    const intervals = new SeriesIntervals();
    intervals.state(0, 10_000, 1_000, true);
    intervals.state(1, 0, 1_000, true);
    intervals.state(2, 10_000, 1_000, true);
    intervals.state(2, 20_000, 2_000, false);
    const first = new IntervalsAt(intervals);
    const before = [0, 1, 2].map((series) => first.of(series));
    const copied = structuredClone(before);
    for (const series of [0, 1, 2]) intervals.state(series, 30_000, 3_000, false);
    const second = new IntervalsAt(intervals);
    for (const series of [0, 1, 2]) intervals.state(series, 40_000, 4_000, false);
    expect(before).toEqual(copied);
    expect([0, 1, 2].map((series) => first.of(series))).toEqual(copied);
    const [constant, nothing, changed] = [0, 1, 2].map((series) => second.of(series));
    expect(constant).toEqual({ sinceMs: [NEVER, 3_000], intervalsMs: [10_000, 30_000] });
    expect(nothing).toEqual({ sinceMs: [3_000], intervalsMs: [30_000] });
    expect(changed).toEqual({ sinceMs: [NEVER, 2_000, 3_000], intervalsMs: [10_000, 20_000, 30_000] });
    // Queries distinguish statements by their objects.
    for (const series of [0, 1]) expect(first.of(series)).toBe(before[series]);
    for (const series of [0, 1, 2]) expect(second.of(series)).toBe(second.of(series));
  });

  test('golden: the stored form of one interval and of a changed one', () => {
    const intervals = new SeriesIntervals();
    intervals.state(0, 15_000, 1_000, true);
    intervals.state(1, 10_000, 1_000, true);
    intervals.state(1, 60_000, 2_000, false);
    const stored = [...intervals.changes()].map(([dense, packed]) => [dense, packed.toString('hex')]);
    expect(stored).toEqual([
      [0, '01000000000000f0ff9875'],
      [1, '02000000000000f0ff904e0000000000409f40e0d403'],
    ]);
    const loaded = new SeriesIntervals();
    for (const [dense, packed] of intervals.changes()) loaded.load(dense, packed);
    for (const dense of [0, 1]) expect(loaded.of(dense)).toEqual(intervals.of(dense));
    expect([...loaded.statements(2)]).toEqual([...intervals.changes()]);
    expect([...loaded.changes()]).toEqual([]);
    intervals.saved();
    expect([...intervals.changes()]).toEqual([]);
  });

  test.each([
    ['no interval', '00'],
    ['more than the limit', `41${'000000000000f0ff9875'.repeat(65)}`],
    ['a torn entry', '01000000000000f0'],
  ])('%s is damaged', (_name, hex) => {
    const load = () => new SeriesIntervals().load(0, Buffer.from(hex, 'hex'));
    expect(load).toThrow(expect.objectContaining({ code: 'data_loss' }));
  });
});

test('an epoch that repeats the statements of a sender does not change its interval', () => {
  const log = new LogBuilder();
  const block = (sequence: number, timeMs: number, intervalsMs: readonly number[]): void => {
    log.nextEpoch(0);
    const definitions = intervalsMs.map((intervalMs) => ({
      metricId: Buffer.alloc(16, 1),
      seriesId: Buffer.alloc(16, 2),
      seriesClass: SERIES_CLASS.reading,
      intervalMs,
    }));
    const of = [{ dictionary: 0, firstRef: 0, series: definitions }];
    const point = { series: 1, timeMs, value: 1 };
    log.block(0, timeMs, [{ client: 0, sequence, points: [point] }], { minTimeMs: timeMs, definitions: of });
  };
  block(0, 5_000, [30_000]);
  for (let i = 1; i <= 100; i++) block(i, 5_000 + i * 1_000, [30_000, 0, 60_000]);
  block(101, 200_000, [30_000, 60_000, 15_000]);
  const state = new PointLogState(0);
  for (const record of log.records) {
    const judged = state.judge(record)?.record;
    if (judged !== undefined && 'definitions' in judged) {
      state.define(judged);
      state.tracker.end(judged, record.offset);
    }
    state.nextOffset++;
  }
  expect(state.intervals.of(0)).toEqual({ sinceMs: [NEVER, 6_000, 200_000], intervalsMs: [30_000, 60_000, 15_000] });
});

test('a consumer that restarts has the intervals that the log states', async () => {
  const log = new LogBuilder();
  const point = { series: 1, timeMs: 5_000, value: 1 };
  log.block(0, 6_000, [{ client: 0, sequence: 0, intervalMs: 10_000, points: [point] }]);
  log.nextEpoch(0);
  const later = { minTimeMs: 9_000 };
  log.block(0, 9_000, [{ client: 0, sequence: 1, intervalMs: 30_000, points: [{ ...point, timeMs: 9_000 }] }], later);
  const state = new PointLogState(0);
  const keyValue = new MemoryKeyValue();
  for (const record of log.records) {
    const judged = state.judge(record)?.record;
    if (judged !== undefined && 'definitions' in judged) {
      state.define(judged);
      state.tracker.end(judged, record.offset);
    }
    state.nextOffset++;
    await keyValue.write(state.changes());
    state.saved();
  }
  const expected = { sinceMs: [NEVER, 9_000], intervalsMs: [10_000, 30_000] };
  expect(state.intervals.of(0)).toEqual(expected);
  const reopened = new PointLogState(0);
  const head = Buffer.from('000000000000f0ff000000000000f0bf0000000000000000000000000000f0ff00', 'hex');
  await reopened.load(keyValue, { trackerHead: head, nextOffset: 2 });
  expect(reopened.intervals.of(0)).toEqual(expected);
});
