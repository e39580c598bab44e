import { describe, expect, jest, test } from '@jest/globals';
import { Bitmap } from '@tidemark/bitmap';
import { MatchRequest, type TagFilter } from '@tidemark/contract';
import { DAY_MS, ID_BYTES, SERIES_CLASS, seriesName } from '@tidemark/model';
import { finishAtOnce, type LogRecord, type SlicedWork } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagPartition } from './index.ts';
import { recordOf } from './testing/facts.ts';
import { commitRenumbered } from './testing/turns.ts';

/** Half of them die when a day expires: at least the 1,024 from which on a commit renumbers the others. */
const SERIES = 2100;
/** Max cost of a piece of work, in units of the cost of a point: about a millisecond. */
const PIECE_COST = 16_384;
const RANGE = { fromMs: 10 * DAY_MS, toMs: 14 * DAY_MS };
const TAG: TagFilter = { filter: { $case: 'tag', value: 'env:e0' } };
const NOT: TagFilter = { filter: { $case: 'not', value: TAG } };
const PATTERN: TagFilter = { filter: { $case: 'pattern', value: { key: 'id', pattern: '*1*' } } };

async function partitionOf(days: readonly number[]): Promise<TagPartition> {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  for (const [offset, day] of days.entries()) partition.apply(recordOfDay(offset, day, 0));
  return partition;
}

/** A partition of which day 10, with a third of the series, expires on day 13. */
async function expiringPartition(): Promise<TagPartition> {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue(), retentionDays: 2 });
  for (const [offset, day] of [10, 11, 12].entries()) {
    partition.apply(recordOfDay(offset, day, day === 10 ? 0 : SERIES / 2));
  }
  return partition;
}

/** To name series takes longer than to apply them, and all tests have the same ones. */
const records = new Map<string, LogRecord>();

/** A record with all facts of a day, of `SERIES` series. */
function recordOfDay(offset: number, day: number, first: number): LogRecord {
  const key = `${offset}/${day}/${first}`;
  const known = records.get(key) ?? recordOf(offset, factsOf(first, SERIES, day));
  records.set(key, known);
  return known;
}

function factsOf(from: number, count: number, day: number) {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const tags = [`env:e${n % 3}`, `id:${n}`, `rack:r${n % 7}`, `rack:s${n % 5}`];
    return { name: seriesName('acme', n % 20 === 0 ? `m${n}` : 'cpu', SERIES_CLASS.reading, tags), day, isNamed: true };
  });
}

const asked = (filter: TagFilter | undefined, groupBy: string[]) =>
  MatchRequest.create({ tenant: 'acme', metric: 'cpu', filter, groupBy, ...RANGE });

/** Numbers of series, by what they are of. */
type Content = readonly (readonly [what: string, series: number])[];

interface Read {
  readonly work: (partition: TagPartition) => SlicedWork<unknown, number>;
  /** What an answer says there is. */
  readonly content: (answer: unknown) => Content;
}

function readOf<T>(work: (partition: TagPartition) => SlicedWork<T, number>, content: (answer: T) => Content): Read {
  return { work, content: (answer) => content(answer as T) };
}

const matchOf = (filter: TagFilter | undefined, groupBy: string[]) =>
  readOf(
    ({ reads }) => reads.match(asked(filter, groupBy)),
    ({ groups }) =>
      groups.flatMap(({ tags, series }) => {
        const ids = Array.from({ length: series.length / ID_BYTES }, (_, i) =>
          series.subarray(i * ID_BYTES).subarray(0, ID_BYTES),
        );
        return ids.map((id) => [`${tags} ${Buffer.from(id).toString('hex')}`, 1] as const);
      }),
  );

const countsSince = (day: number) =>
  readOf(
    ({ reads }) => reads.budgets(0, 0, day),
    ({ tenants, metrics }) => [
      ...tenants.map(({ tenant, series }) => [tenant, series] as const),
      ...metrics.map(({ metric, series }) => [`metric ${metric}`, series] as const),
    ],
  );

const EVERY_METRIC = { partition: 0, tenant: 'acme', contains: '', limit: 0, names: [] };

/** Every read of a partition, by its name. */
const READS: readonly (readonly [name: string, read: Read])[] = [
  ['match', matchOf(undefined, ['id'])],
  ['match of several values', matchOf(NOT, ['rack', 'rack', 'env'])],
  ['match of a pattern', matchOf(PATTERN, ['rack'])],
  [
    'tags',
    readOf(
      ({ reads }) => reads.describeTags({ partition: 0, tenant: 'acme', metric: 'cpu', limit: 0, ...RANGE }),
      ({ keys }) => keys.map(({ key, series }) => [key, series]),
    ),
  ],
  [
    'metrics',
    readOf(
      ({ reads }) => reads.describeMetrics({ ...EVERY_METRIC, fromMs: RANGE.fromMs }),
      ({ metrics }) => metrics.map(({ metric, series }) => [metric, series]),
    ),
  ],
  [
    'names',
    readOf(
      ({ reads }) => {
        const series = finishAtOnce(reads.match(asked(undefined, []))).groups[0].series;
        return reads.seriesTags({ partition: 0, tenant: 'acme', series });
      },
      ({ series }) => series.map(({ metric, tags }) => [`${metric} ${tags}`, 1]),
    ),
  ],
  ['counts', countsSince(11)],
  ['counts of all days', countsSince(0)],
];
/** Reads without an end of their time: they may have facts from after their beginning. */
const OPEN_READS: ReadonlySet<string> = new Set(['metrics', 'counts', 'counts of all days']);

describe.each(READS)('a read of %s', (name, { work: read, content }) => {
  /** Expects everything that `least` says there is, in at least these numbers. */
  function expectContains(answer: unknown, least: unknown): void {
    const found = new Map(content(answer));
    const expected = content(least);
    expect(expected.length).toBeGreaterThan(2);
    expect(expected.filter(([what, series]) => (found.get(what) ?? 0) < series)).toEqual([]);
  }

  test('is small pieces', async () => {
    const costs: number[] = [];
    const work = read(await partitionOf([11, 12, 13]));
    for (let step = work.next(); step.done !== true; step = work.next()) costs.push(step.value);
    expect(costs.length).toBeGreaterThan(name.startsWith('counts') ? 0 : 4);
    expect(Math.max(...costs)).toBeLessThanOrEqual(PIECE_COST);
  });

  test('has the facts from before it, and none of those that are applied meanwhile', async () => {
    const partition = await partitionOf([11, 12]);
    const expected = finishAtOnce(read(partition));
    const work = read(partition);
    let applied = 0;
    let step = work.next();
    for (; step.done !== true; step = work.next()) {
      // New series, tags and days of another metric, between any two pieces.
      const facts = Array.from({ length: 20 }, (_, i) => {
        const tags = [`env:new${applied}`, `id:new${applied}.${i}`, 'rack:N/A', `other${applied}:${i}`];
        return { name: seriesName('acme', 'cpu', SERIES_CLASS.reading, tags), day: 30, isNamed: true };
      });
      if (applied++ < 200) partition.apply(recordOf(partition.nextOffset, facts));
    }
    expect(applied).toBeGreaterThan(0);
    if (OPEN_READS.has(name)) {
      expectContains(step.value, expected);
      expectContains(finishAtOnce(read(partition)), step.value);
    } else expect(step.value).toEqual(expected);
  });

  test.each([
    ['a day expires', false],
    ['a day expires and the rest is renumbered', true],
  ])('has what is kept, and nothing that never was, when between two pieces %s', async (_, isCommitted) => {
    let pieces = 0;
    const unchanged = read(await expiringPartition());
    let step = unchanged.next();
    for (; step.done !== true; step = unchanged.next()) pieces++;
    const whole = step.value;
    for (const at of new Set([1, Math.max(1, pieces >> 1)])) {
      const partition = await expiringPartition();
      const work = read(partition);
      for (let piece = 0; piece < at; piece++) work.next();
      const { series } = partition.status();
      partition.apply(recordOf(partition.nextOffset, [], 13));
      if (isCommitted) await commitRenumbered(partition);
      expect(partition.status().series).toBe(isCommitted ? SERIES : series);
      const answer = finishAtOnce(work);
      expectContains(whole, answer);
      expectContains(answer, finishAtOnce(read(partition)));
    }
  });
});

test('a count unites few days in one piece, once days have expired', async () => {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue(), retentionDays: 8 });
  for (let day = 10; day < 20; day++) {
    const facts = Array.from({ length: 5000 }, (_, n) => {
      const name = seriesName('acme', `m${n % 50}`, SERIES_CLASS.reading, [`id:${n}`]);
      return { name, day, isNamed: true };
    });
    partition.apply(recordOf(partition.nextOffset, facts));
  }
  // What is united is counted apart from what the work says that it costs.
  const united = jest.spyOn(Bitmap.prototype, 'orInPlace');
  try {
    const unions: number[] = [];
    const work = partition.reads.budgets(0, 0);
    for (let isDone = false; !isDone; ) {
      const before = united.mock.calls.length;
      isDone = work.next().done === true;
      unions.push(united.mock.calls.length - before);
    }
    expect(united.mock.calls.length).toBeGreaterThanOrEqual(50 * 8);
    expect(Math.max(...unions)).toBeLessThanOrEqual(4);
  } finally {
    united.mockRestore();
  }
});
