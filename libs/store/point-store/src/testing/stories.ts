import { packPartial, SPACE_FOLD, SpacePartial, TIME_FOLD, TimeFolder, type TimeFoldName } from '@tidemark/fold';
import { SERIES_CLASS, type StatedIntervals } from '@tidemark/model';
import { classOf, LogBuilder, seriesIdOf, type TestPoint } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import fc from 'fast-check';
import { PointHash } from '../close/point-hash.ts';
import { PageCodec } from '../pages/page-codec.ts';
import type { PointPartition } from '../point-partition.ts';
import { exactSum } from '../series/exact-sum.ts';
import { SeriesPoints } from '../series/series-columns.ts';
import { bitsOf, requestOf } from './aggregates.ts';

/** The start of a bucket. */
const START_MS = 1_700_000_000_000;
export const BUCKET_MS = 10_000;
export const LATENESS_MS = 3000;
const SERIES = 12;
const RESTATED_MS = [2000, 7000, 30_000];
const codec = new PageCodec();

/** Points of a record, by series and how long ago, s: few enough that many have the time of an earlier one. */
const point = fc.record({
  series: fc.nat(SERIES - 1).filter((series) => classOf(series) !== SERIES_CLASS.distribution),
  behind: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(25) }),
  value: fc.constantFrom(0, -0, 1, 2, 7.25, 0.1, 0.2, 1e16, 1e-9, 123_456.789, Number.NaN, Number.POSITIVE_INFINITY),
});
export const story = fc.record({
  /** Rounds of a second, of which each is a record. */
  rounds: fc.array(fc.oneof(fc.array(point, { maxLength: 3 }), fc.array(point, { maxLength: 10 })), {
    minLength: 10,
    maxLength: 60,
  }),
  /** Each series also reports in each round: with long pages, and times that series share. */
  isSteady: fc.boolean(),
  /** Rounds are up to so many milliseconds late, as scrapes are: times that series share, and that are not regular. */
  jitterMs: fc.constantFrom(0, 0, 400),
  /** Of every n-th round, batches of a later map: their values stand, and they have pages of their own. */
  laterMap: fc.constantFrom(2, 5, 1000),
  /** The interval that is stated of each series first, and every how many rounds another one is. */
  firstMs: fc.constantFrom(undefined, 3000),
  restated: fc.constantFrom(2, 7, 1000, 1000),
});

export const question = fc.record({
  metric: fc.constantFrom(0, 1, 2),
  timeFold: fc.constantFrom<TimeFoldName>('increase', 'avg', 'min', 'max', 'last', 'sum', 'count', 'points'),
  fromMs: fc.integer({ min: -20_000, max: 60_000 }).map((ms) => START_MS + ms),
  stepMs: fc.constantFrom(1000, 2500, 10_000),
  steps: fc.integer({ min: 1, max: 40 }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;
export type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** A log, and what a plain reading of it has. */
export class StoryLog {
  readonly records: LogRecord[];
  /** By offset, the points of the record. */
  readonly #points: (TestPoint & { readonly mapEpoch: number })[][] = [[]];
  /** By offset, the interval that the record states, if any, of series that it defines. */
  readonly #stated: { readonly series: ReadonlySet<number>; readonly intervalMs: number | undefined }[] = [];

  constructor({ rounds, isSteady, jitterMs, laterMap, firstMs, restated }: Story) {
    const builder = new LogBuilder();
    builder.bare(RECORD.open, 0, START_MS);
    this.#stated.push({ series: new Set(), intervalMs: undefined });
    const known = new Set<number>();
    rounds.forEach((points, round) => {
      const nowMs = START_MS + 1000 * round + ((round * 37) % (jitterMs + 1));
      const all = isSteady ? [...steadyPoints(round), ...points] : points;
      const own = all.map(({ series, behind, value }) => ({ series, timeMs: nowMs - 1000 * behind, value }));
      const mapEpoch = (round + 1) % laterMap === 0 ? 2 : 1;
      // A client that is met for the first time defines all of its series.
      const isRestated = (round + 1) % restated === 0;
      const [client, intervalMs] = isRestated ? [round + 1, RESTATED_MS[round % RESTATED_MS.length]] : [0, firstMs];
      builder.block(0, nowMs, [{ client, sequence: round, mapEpoch, intervalMs, points: own }]);
      const series = new Set(own.map((one) => one.series).filter((one) => isRestated || !known.has(one)));
      if (!isRestated) for (const one of series) known.add(one);
      this.#stated.push({ series, intervalMs });
      this.#points.push(own.map((one) => ({ ...one, mapEpoch })));
    });
    this.records = builder.records;
  }

  /** The points of a series in the records below an offset: one of each time in [fromMs, toMs), ascending. */
  resolved(series: number, offset: number, fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY) {
    const byTime = new Map<number, number[]>();
    const before = this.#points.slice(0, offset).flat();
    // By map, then in the order of the log.
    for (const { series: own, timeMs, value } of before.sort((a, b) => a.mapEpoch - b.mapEpoch)) {
      if (own !== series || timeMs < fromMs || timeMs >= toMs) continue;
      byTime.set(timeMs, [...(byTime.get(timeMs) ?? []), value]);
    }
    const points = new SeriesPoints();
    for (const [timeMs, values] of [...byTime].sort(([a], [b]) => a - b)) {
      const all = Float64Array.from(values);
      const isSum = classOf(series) === SERIES_CLASS.count && all.length > 1;
      points.push(timeMs, isSum ? exactSum(all, 0, all.length) : all[all.length - 1]);
    }
    return points;
  }

  /** What the records below an offset state of the intervals of a series. */
  #statedOf(series: number, offset: number): StatedIntervals {
    const sinceMs: number[] = [];
    const intervalsMs: number[] = [];
    let isNew = true;
    for (const { series: defined, intervalMs } of this.#stated.slice(0, offset)) {
      if (!defined.has(series)) continue;
      if (intervalMs !== undefined && intervalMs !== intervalsMs.at(-1)) {
        // Blocks of these logs say that their points may be as old as 0.
        sinceMs.push(isNew ? Number.NEGATIVE_INFINITY : Math.max(0, (sinceMs.at(-1) ?? Number.NEGATIVE_INFINITY) + 1));
        intervalsMs.push(intervalMs);
      }
      isNew = false;
    }
    return { sinceMs, intervalsMs };
  }

  /** The hash of a bucket by the records below an offset. */
  hashOf(bucketMs: number, offset: number): string {
    const hash = new PointHash(codec);
    for (let series = 0; series < SERIES; series++) {
      hash.addPoints(seriesIdOf(series), this.resolved(series, offset, bucketMs, bucketMs + BUCKET_MS));
    }
    return hash.hex;
  }

  /** The bits of the answer to a question by the records below an offset. */
  answerTo({ metric, timeFold, fromMs, stepMs, steps }: Question, offset: number) {
    const isAmount = classOf(metric) === SERIES_CLASS.count;
    const folder = new TimeFolder({ fold: TIME_FOLD[timeFold], isAmount, fromMs, stepMs, steps, intervalMs: 0 });
    const partial = new SpacePartial(SPACE_FOLD.sum, steps);
    // Sums depend on the order of the series: that in which the log first names them.
    const named = new Set(this.#points.flat().map(({ series }) => series));
    for (const series of [...named].filter((one) => one % 4 === metric)) {
      const { timesMs, values, length } = this.resolved(series, offset);
      partial.addSeries(folder.foldPoints(timesMs, values, length, this.#statedOf(series, offset)));
    }
    return bitsOf(packPartial(partial));
  }
}

/** A point of each series, rarely a value that is not a decimal. */
function steadyPoints(round: number) {
  return [0, 1, 2].flatMap(seriesOf).map((series) => {
    const isOdd = (31 * round + 7 * series) % 41 === 0;
    const value = isOdd ? (series % 3 === 0 ? Number.NaN : -0) : 5 * round + (series % 4 === 0 ? 0 : round % 3);
    return { series, behind: 0, value };
  });
}

function seriesOf(metric: number): number[] {
  return Array.from({ length: SERIES }, (_, series) => series).filter((series) => series % 4 === metric);
}

/** A partition's answer, as bits, and the offset of which it is. */
export async function ask(partition: PointPartition, { metric, timeFold, fromMs, stepMs, steps }: Question) {
  const all = Buffer.concat(seriesOf(metric).map(seriesIdOf));
  const request = requestOf([metric], { fromMs, toMs: fromMs + steps * stepMs, stepMs }, timeFold, {
    spaceFold: SPACE_FOLD.sum,
    groups: [{ digest: Buffer.alloc(0), series: all }],
  });
  const { offset, groups } = await partition.aggregate(request);
  return { offset, bits: bitsOf(groups[0]) };
}
