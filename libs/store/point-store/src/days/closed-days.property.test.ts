import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { classOf, LogBuilder, seriesIdOf } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { type LogRecord, WorkSlice } from '@tidemark/ports';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { type DayGeneration, generationsOf } from './day-marks.ts';
import { DayPoints } from './day-points.ts';

const START_MS = 20_000 * DAY_MS;
const HOUR_MS = 3_600_000;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, bucketMs: 2 * HOUR_MS };
const SERIES = [0, 1, 2, 4, 5].filter((series) => classOf(series) !== SERIES_CLASS.distribution);

/** Hours between two records, points of a record that are so many hours late, and hours by which a clock that was ahead is set back before. */
const rounds = fc.array(
  fc.record({
    hours: fc.integer({ min: 1, max: 14 }),
    late: fc.array(fc.nat(100), { maxLength: 2 }),
    back: fc.constantFrom(0, 0, 0, 0, 0, 0, 30, 100),
  }),
  { minLength: 8, maxLength: 30 },
);
const stops = fc.array(fc.nat(30), { maxLength: 6 });

interface Placed {
  readonly offset: number;
  readonly series: number;
  readonly timeMs: number;
  readonly value: number;
}

function logOf(told: readonly { hours: number; late: number[]; back: number }[]): {
  records: LogRecord[];
  points: Placed[];
} {
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, START_MS);
  const points: Placed[] = [];
  let nowMs = START_MS;
  let session = 0;
  told.forEach(({ hours, late, back }, round) => {
    if (back > 0) {
      nowMs -= back * HOUR_MS;
      session++;
      Object.assign(builder.lane(session), { era: builder.records.length, eraStartMs: nowMs });
      builder.bare(RECORD.open, session, nowMs);
    }
    nowMs += hours * HOUR_MS;
    const own = [0, ...late].map((behind, i) => {
      return { series: SERIES[(round + i) % SERIES.length], timeMs: nowMs - behind * HOUR_MS, value: 100 * round + i };
    });
    const offset = builder.records.length;
    builder.block(session, nowMs, [{ client: 0, sequence: round, points: own }]);
    for (const one of own) points.push({ offset, ...one });
  });
  return { records: builder.records, points };
}

/** Reads a log with stops in between. Returns each generation that was met, and what the database has at the end. */
async function consume(records: readonly LogRecord[], stopsAt: readonly number[]) {
  const content: Content = new Map();
  const met = new Map<string, DayGeneration>();
  const open = () => {
    const keyValue = new MemoryKeyValue(content);
    return PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000 });
  };
  let partition = await open();
  for (const record of records) {
    partition.apply(record);
    const isStop = stopsAt.includes(record.offset);
    if (partition.wantsCommit || isStop) await partition.commit();
    for (const one of partition.status.closedDays.flatMap(generationsOf)) met.set(`${one.day} ${one.toOffset}`, one);
    if (!isStop) continue;
    await partition.stop();
    partition = await open();
  }
  await partition.commit();
  await partition.whenClosed();
  return { content, met };
}

/** Values by series and time that a generation of a day has. */
async function valuesOf(content: Content, { day, fromOffset, toOffset }: DayGeneration): Promise<Map<string, number>> {
  const cut = { fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS, fromOffset, offset: toOffset };
  const options = { partition: 0, keyValue: new MemoryKeyValue(content), limits: LIMITS };
  const points = await DayPoints.open(options, cut, new WorkSlice(undefined, undefined));
  const values = new Map<string, number>();
  for (const [metric, series] of points.seriesByMetric()) {
    for await (const { id, parts } of points.read(metric, series)) {
      for (const { timesMs, values: own } of parts) {
        timesMs.forEach((timeMs, i) => {
          const key = `${Buffer.from(id).toString('hex')} ${timeMs}`;
          values.set(key, (values.get(key) ?? 0) + (own?.[i] ?? Number.NaN));
        });
      }
    }
  }
  points.close();
  return values;
}

/** Compares the generations of all days with the log, for a partition that stops, and for one that stops elsewhere. Returns the late ones. */
async function checkDays(told: Parameters<typeof logOf>[0], one: readonly number[], other: readonly number[]) {
  const { records, points } = logOf(told);
  const [first, second] = [await consume(records, one), await consume(records, other)];
  expect([...second.met]).toEqual([...first.met]);
  for (const mark of first.met.values()) {
    const { day, fromOffset, toOffset } = mark;
    const expected = new Map<string, number>();
    for (const { offset, series, timeMs, value } of points) {
      const isOfDay = Math.floor(timeMs / DAY_MS) === day && offset >= fromOffset && offset < toOffset;
      if (!isOfDay) continue;
      const key = `${seriesIdOf(series).toString('hex')} ${timeMs}`;
      const isSum = classOf(series) === SERIES_CLASS.count;
      expected.set(key, isSum ? (expected.get(key) ?? 0) + value : value);
    }
    const found = await valuesOf(first.content, mark);
    expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
  }
  return [...first.met.values()].filter(({ fromOffset }) => fromOffset > 0);
}

test('days close at the same offsets for any stops, and their generations have each point once', async () => {
  let generations = 0;
  await fc.assert(
    fc.asyncProperty(rounds, stops, stops, async (told, one, other) => {
      generations += (await checkDays(told, one, other)).length;
    }),
    { numRuns: 40, seed: testSeed() },
  );
  expect(generations).toBeGreaterThan(10);
});

test('a bucket that an era opens again after its day has closed keeps the generations of the day apart', async () => {
  const hours = [5, 12, 10, 9, 12, 1, 1, 1, 1, 4, 2, 3, 2, 2, 2];
  const all = hours.map((one, i) => ({ hours: one, late: [], back: i === 5 || i === 6 ? 30 : 0 }));
  await checkDays(all, [], []);
});
