import { afterEach, expect, jest, test } from '@jest/globals';
import { AggregateReply } from '@tidemark/contract';
import {
  packPartial,
  SPACE_FOLD,
  type SpaceFoldName,
  SpacePartial,
  TIME_FOLD,
  TimeFolder,
  type TimeFoldName,
} from '@tidemark/fold';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import { classOf, LogBuilder, metricIdOf, seriesIdOf, type TestPoint } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import type { Slicing } from '@tidemark/ports';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { exactSum } from '../series/exact-sum.ts';
import { bitsOf } from '../testing/aggregates.ts';
import { PairFolder } from './pair-folder.ts';

/** The start of a bucket. */
const START_MS = 1_700_000_000_000;
const ROUNDS = 45;
const ROUND_MS = 10_000;

/** Some senders, each with series that it reports together, as they come to a partition with what may happen to it. */
interface Story {
  readonly seed: number;
  /** 0 for readings, 1 for counts. */
  readonly kind: number;
  readonly senders: number;
  readonly seriesOfSender: number;
  /** All senders report at the same time, each at its own, or each with delays of its own. */
  readonly times: 'together' | 'apart' | 'jitter';
  /** How many of a thousand points are missing, late, or of an unusual value. */
  readonly missing: number;
  readonly late: number;
  readonly odd: number;
  /** How many of a hundred times a sender sends values of an earlier time, of all its series. */
  readonly lateRounds: number;
  readonly statedMs: number | undefined;
  readonly recentBytes: number;
  /** Rounds behind which there is a commit, or a restart after one. */
  readonly commits: readonly number[];
  readonly restarts: readonly number[];
}

const story = fc.record<Story>({
  seed: fc.nat(),
  kind: fc.constantFrom(0, 0, 1),
  senders: fc.integer({ min: 1, max: 4 }),
  seriesOfSender: fc.constantFrom(1, 7, 40),
  times: fc.constantFrom('together', 'apart', 'jitter'),
  missing: fc.constantFrom(0, 0, 3),
  late: fc.constantFrom(0, 0, 2),
  odd: fc.constantFrom(0, 0, 3),
  lateRounds: fc.constantFrom(0, 0, 5),
  statedMs: fc.constantFrom(undefined, 10_000, 15_000),
  recentBytes: fc.constantFrom(0, 1_000_000),
  commits: fc.array(fc.nat(ROUNDS), { maxLength: 6 }),
  restarts: fc.array(fc.nat(ROUNDS), { maxLength: 1 }),
});

const USUAL: Story = {
  ...{ seed: 1, kind: 0, senders: 2, seriesOfSender: 40, times: 'apart', missing: 0, late: 0, odd: 0, lateRounds: 0 },
  ...{ statedMs: undefined, recentBytes: 0, commits: [20], restarts: [] },
};

const question = fc.record({
  timeFold: fc.constantFrom<TimeFoldName>('increase', 'rate', 'avg', 'min', 'max', 'last', 'sum', 'count', 'points'),
  spaceFold: fc.constantFrom<SpaceFoldName>('sum', 'avg', 'min', 'max', 'last', 'count'),
  fromMs: fc.oneof(
    fc.integer({ min: -3, max: 40 }).map((rounds) => START_MS + rounds * ROUND_MS),
    fc.integer({ min: -30_000, max: 400_000 }).map((ms) => START_MS + ms),
  ),
  stepMs: fc.constantFrom(1000, 10_000, 60_000, 7321),
  steps: fc.integer({ min: 1, max: 60 }),
  groups: fc.integer({ min: 1, max: 3 }),
  intervalMs: fc.constantFrom(0, 0, 20_000),
});

/** Numbers from 0 to 1 that follow from a seed. */
function randomOf(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9;
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a_2d39);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

const ODD = [Number.NaN, -0, 1e300, Number.POSITIVE_INFINITY, 0.1 + 0.2, -5];

/** A value of one of five sorts of series: two counters, which restart rarely, decimals, any floats, and constants. */
function nextValue(series: number, before: number | undefined, random: () => number): number {
  switch ((series >> 2) % 5) {
    case 0:
      return (before ?? 1000) + Math.floor(random() * 50);
    case 1:
      return random() < 0.01 ? 3 : (before ?? 1e6) + Math.floor(random() * 1e6) / 100;
    case 2:
      return Math.round((50 + random() * 20) * 10) / 10;
    case 3:
      return random() * 1e-3;
    default:
      return 42;
  }
}

class World {
  readonly #story: Story;
  readonly #slicing: Slicing | undefined;
  readonly #random: () => number;
  readonly #builder = new LogBuilder();
  readonly #content: Content = new Map();
  /** By series in the order of their definition, its points in the order of the log. */
  readonly points = new Map<number, TestPoint[]>();
  #sequence = 0;

  private constructor(own: Story, slicing: Slicing | undefined) {
    this.#story = own;
    this.#slicing = slicing;
    this.#random = randomOf(own.seed);
    this.#builder.statedMsOf = () => own.statedMs;
  }

  static async play(
    own: Story,
    slicing?: Slicing,
  ): Promise<{ readonly partition: PointPartition; readonly world: World }> {
    const world = new World(own, slicing);
    let partition = await world.#open();
    partition.apply(world.#builder.bare(RECORD.open, 0, START_MS));
    const phases = Array.from({ length: own.senders }, () => Math.floor(world.#random() * ROUND_MS));
    for (let round = 0; round < ROUNDS; round++) {
      for (let sender = 0; sender < own.senders; sender++) {
        world.#send(partition, round, sender, phases[sender]);
        if (world.#random() * 100 >= own.lateRounds) continue;
        world.#send(partition, Math.max(0, round - Math.floor(world.#random() * 14)), sender, phases[sender]);
      }
      if (partition.wantsCommit || own.commits.includes(round) || own.restarts.includes(round)) {
        await partition.commit();
      }
      if (own.restarts.includes(round)) partition = await world.#open();
    }
    return { partition, world };
  }

  #open(): Promise<PointPartition> {
    const { recentBytes } = this.#story;
    const limits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 50_000, bucketMs: 100_000, recentBytes };
    return PointPartition.open({
      ...{ partition: 0, keyValue: new MemoryKeyValue(this.#content), limits, latenessMs: () => 20_000 },
      slicing: this.#slicing,
    });
  }

  #send(partition: PointPartition, round: number, sender: number, phaseMs: number): void {
    const { seriesOfSender, times, missing, late, odd, kind } = this.#story;
    const random = this.#random;
    let timeMs = START_MS + round * ROUND_MS;
    if (times !== 'together') timeMs += phaseMs;
    if (times === 'jitter') timeMs += Math.floor(random() * 300);
    const sent: TestPoint[] = [];
    for (let i = 0; i < seriesOfSender; i++) {
      const series = 4 * (sender * seriesOfSender + i) + kind;
      const own = this.points.get(series) ?? [];
      if (random() * 1000 < missing) continue;
      let value = nextValue(series, own.at(-1)?.value, random);
      if (random() * 1000 < odd) value = ODD[Math.floor(random() * ODD.length)];
      sent.push({ series, timeMs, value });
      if (random() * 1000 < late) {
        sent.push({ series, timeMs: timeMs - Math.floor(random() * 12) * (ROUND_MS / 2), value: value + 1 });
      }
    }
    if (sent.length === 0) return;
    for (const point of sent) {
      const own = this.points.get(point.series);
      if (own === undefined) this.points.set(point.series, [point]);
      else own.push(point);
    }
    const span = { client: sender, sequence: this.#sequence++, points: sent };
    partition.apply(this.#builder.block(0, START_MS + round * ROUND_MS, [span]));
  }

  /** The points of a series as an answer has them. */
  resolved(series: number): { readonly timesMs: Float64Array; readonly values: Float64Array } {
    const byTime = new Map<number, number[]>();
    for (const { timeMs, value } of this.points.get(series) ?? []) {
      byTime.set(timeMs, [...(byTime.get(timeMs) ?? []), value]);
    }
    const timesMs = Float64Array.from(byTime.keys()).sort();
    const isCount = classOf(series) === SERIES_CLASS.count;
    const values = timesMs.map((timeMs) => {
      const own = Float64Array.from(byTime.get(timeMs) ?? []);
      return isCount && own.length > 1 ? exactSum(own, 0, own.length) : own[own.length - 1];
    });
    return { timesMs, values };
  }
}

const fold = jest.spyOn(PairFolder.prototype, 'fold');
const foldOwn = jest.spyOn(PairFolder.prototype, 'foldOwn');

afterEach(() => {
  fold.mockClear();
  foldOwn.mockClear();
});

test('requests that take turns in the memory of the thread get the answers of requests on their own', async () => {
  let nowMs = 0;
  let turns = 0;
  const yieldTurn = async (): Promise<void> => {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  };
  const { partition, world } = await World.play(USUAL, {
    clock: { monotonicMs: () => nowMs++ },
    sliceMs: 1,
    yieldTurn,
  });
  const all = [...world.points.keys()];
  const ask = (timeFold: TimeFoldName, fromMs: number) => {
    // Many steps make many slices.
    return partition.aggregate({
      ...{ partition: 0, metricId: metricIdOf(0), fromMs, toMs: fromMs + 400_000, stepMs: 200, latenessMs: 20_000 },
      ...{ timeFold: TIME_FOLD[timeFold], spaceFold: SPACE_FOLD.sum, tagsOffset: 0, maxPoints: 0 },
      groups: [0, 1].map((group) => {
        const of = all.filter((series) => (series >> 2) % 2 === group);
        return { digest: Buffer.alloc(0), series: Buffer.concat(of.map(seriesIdOf)) };
      }),
    });
  };
  const alone = [await ask('increase', START_MS), await ask('avg', START_MS + 7000), await ask('sum', START_MS)];
  expect(turns).toBeGreaterThan(20);
  const together = [ask('increase', START_MS), ask('avg', START_MS + 7000), ask('sum', START_MS)];
  const digests = (replies: readonly AggregateReply[]) => {
    return replies.map((reply) => hash128(AggregateReply.encode(reply).finish()).toString('hex'));
  };
  expect(digests(await Promise.all(together))).toEqual(digests(alone));
  // Gauges go down, as counters do not.
  expect(alone.slice(1).map(({ seriesAlone }) => seriesAlone)).toEqual([0, 0]);
});

test('an answer counts the series that were folded one by one', async () => {
  const aloneOf = async (change: Partial<Story>) => {
    const { partition, world } = await World.play({ ...USUAL, ...change });
    const all = [...world.points.keys()];
    const { seriesAlone } = await partition.aggregate({
      ...{ partition: 0, metricId: metricIdOf(0), fromMs: START_MS, toMs: START_MS + 400_000, stepMs: 60_000 },
      ...{ timeFold: TIME_FOLD.avg, spaceFold: SPACE_FOLD.sum, tagsOffset: 0, maxPoints: 0, latenessMs: 20_000 },
      groups: [{ digest: Buffer.alloc(0), series: Buffer.concat(all.map(seriesIdOf)) }],
    });
    return seriesAlone;
  };
  expect(await aloneOf({})).toBe(0);
  expect(await aloneOf({ seriesOfSender: 1, times: 'jitter' })).toBe(0);
  const late = await aloneOf({ late: 2 });
  expect(late).toBeGreaterThan(0);
  expect(late).toBeLessThan(80);
});

type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** Asks questions after a story. The bits of the answers must be those of series that are resolved and folded one by one. */
async function expectAnswers(own: Story, questions: readonly Question[]): Promise<void> {
  const { partition, world } = await World.play(own);
  for (const one of questions) {
    const { timeFold, spaceFold, fromMs, stepMs, steps, intervalMs } = one;
    const all = [...world.points.keys()];
    // Some are in two groups.
    const groups = Array.from({ length: one.groups }, (_, group) => {
      return all.filter((series) => (series >> 2) % one.groups === group || series % 44 === 0);
    });
    const reply = await partition.aggregate({
      ...{ partition: 0, metricId: metricIdOf(all[0]), fromMs, toMs: fromMs + steps * stepMs, stepMs, intervalMs },
      ...{ timeFold: TIME_FOLD[timeFold], spaceFold: SPACE_FOLD[spaceFold], tagsOffset: 0, maxPoints: 0 },
      groups: groups.map((of) => ({ digest: Buffer.alloc(0), series: Buffer.concat(of.map(seriesIdOf)) })),
      latenessMs: 20_000,
    });
    const isAmount = classOf(all[0]) === SERIES_CLASS.count;
    const folder = new TimeFolder({ fold: TIME_FOLD[timeFold], isAmount, fromMs, stepMs, steps, intervalMs });
    const stated = own.statedMs === undefined ? [] : [own.statedMs];
    groups.forEach((of, group) => {
      const partial = new SpacePartial(SPACE_FOLD[spaceFold], steps);
      for (const series of of) {
        const { timesMs, values } = world.resolved(series);
        const intervals = { sinceMs: stated.map(() => Number.NEGATIVE_INFINITY), intervalsMs: stated };
        partial.addSeries(folder.foldPoints(timesMs, values, timesMs.length, intervals));
      }
      expect(bitsOf(reply.groups[group])).toEqual(bitsOf(packPartial(partial)));
    });
    expect({ restarts: reply.restarts, dips: reply.dips }).toEqual(
      isAmount ? { restarts: 0, dips: 0 } : folder.findings,
    );
  }
}

const questions = fc.array(question, { minLength: 4, maxLength: 4 });

test('series that are folded together give the same bits as each alone, for any history of the partition', async () => {
  await fc.assert(fc.asyncProperty(story, questions, expectAnswers), { numRuns: 30 });
  expect(fold.mock.results.filter(({ value }) => value === true).length).toBeGreaterThan(300);
});

test('series with times of their own give the same bits as each alone, too', async () => {
  const own = fc.record<Story>({
    ...{
      seed: fc.nat(),
      kind: fc.constantFrom(0, 1),
      senders: fc.constantFrom(7, 20),
      seriesOfSender: fc.constantFrom(1, 2),
    },
    ...{ times: fc.constantFrom('apart', 'jitter'), missing: fc.constantFrom(0, 20), late: fc.constant(0) },
    ...{ odd: fc.constantFrom(0, 0, 10), lateRounds: fc.constantFrom(0, 0, 2) },
    ...{ statedMs: fc.constantFrom(undefined, undefined, 10_000, 15_000), recentBytes: fc.constantFrom(0, 1_000_000) },
    ...{ commits: fc.array(fc.nat(ROUNDS), { maxLength: 6 }), restarts: fc.array(fc.nat(ROUNDS), { maxLength: 1 }) },
  });
  await fc.assert(fc.asyncProperty(own, questions, expectAnswers), { numRuns: 60 });
  expect(foldOwn.mock.results.filter(({ value }) => value !== undefined).length).toBeGreaterThan(500);
});

test('points that are late for all series of a sender are resolved, although the series have the same times', async () => {
  // Short pages: most late points are in the time of the one before theirs.
  const commits = Array.from({ length: ROUNDS / 5 }, (_, i) => 5 * i);
  const late = fc.record<Story>({
    ...{ seed: fc.nat(), kind: fc.constantFrom(0, 1), senders: fc.constantFrom(1, 2), seriesOfSender: fc.constant(7) },
    ...{
      times: fc.constantFrom('together', 'apart'),
      missing: fc.constant(0),
      late: fc.constant(0),
      odd: fc.constant(0),
    },
    ...{ lateRounds: fc.constantFrom(5, 20), statedMs: fc.constant(undefined), recentBytes: fc.constant(1_000_000) },
    ...{ commits: fc.constant(commits), restarts: fc.constant([]) },
  });
  await fc.assert(fc.asyncProperty(late, questions, expectAnswers), { numRuns: 60 });
});
