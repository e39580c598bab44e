import { describe, expect, test } from '@jest/globals';
import { MatchRequest, type TagFilter } from '@tidemark/contract';
import { DAY_MS, SERIES_CLASS, seriesName } from '@tidemark/model';
import { finishAtOnce, type SlicedWork } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagPartition } from './index.ts';
import { recordOf } from './testing/facts.ts';

const SERIES = 3000;
/** Max cost of a piece of work, in units of the cost of a point: about a millisecond. */
const PIECE_COST = 16_384;
const RANGE = { fromMs: 10 * DAY_MS, toMs: 14 * DAY_MS };
const TAG: TagFilter = { filter: { $case: 'tag', value: 'env:e0' } };
const NOT: TagFilter = { filter: { $case: 'not', value: TAG } };
const PATTERN: TagFilter = { filter: { $case: 'pattern', value: { key: 'id', pattern: '*1*' } } };

async function partitionOf(days: readonly number[]): Promise<TagPartition> {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  for (const day of days) partition.apply(recordOf(partition.nextOffset, factsOf(0, SERIES, day)));
  return partition;
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

/** Every read of a partition, by its name. */
const READS: readonly (readonly [name: string, read: (partition: TagPartition) => SlicedWork<unknown, number>])[] = [
  ['match', ({ reads }) => reads.match(asked(undefined, ['id']))],
  ['match of several values', ({ reads }) => reads.match(asked(NOT, ['rack', 'rack', 'env']))],
  ['match of a pattern', ({ reads }) => reads.match(asked(PATTERN, ['rack']))],
  ['tags', ({ reads }) => reads.describeTags({ partition: 0, tenant: 'acme', metric: 'cpu', limit: 0, ...RANGE })],
  ['metrics', ({ reads }) => reads.describeMetrics({ ...EVERY_METRIC, fromMs: RANGE.fromMs })],
  [
    'names',
    ({ reads }) => {
      const series = finishAtOnce(reads.match(asked(undefined, []))).groups[0].series;
      return reads.seriesTags({ partition: 0, tenant: 'acme', series });
    },
  ],
  ['counts', ({ reads }) => reads.budgets(0, 0, 11)],
];
const EVERY_METRIC = { partition: 0, tenant: 'acme', contains: '', limit: 0, names: [] };

describe.each(READS)('a read of %s', (name, read) => {
  test('is small pieces', async () => {
    const costs: number[] = [];
    const work = read(await partitionOf([11, 12, 13]));
    for (let step = work.next(); step.done !== true; step = work.next()) costs.push(step.value);
    expect(costs.length).toBeGreaterThan(name === 'counts' ? 0 : 4);
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
    if (name === 'counts' || name === 'metrics') return;
    expect(step.value).toEqual(expected);
  });
});
