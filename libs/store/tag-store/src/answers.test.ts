import { describe, expect, test } from '@jest/globals';
import type { MatchRequest, TagFilter } from '@tidemark/contract';
import {
  DAY_MS,
  kindOfClass,
  metricId,
  SERIES_CLASS,
  type SeriesClass,
  type SeriesName,
  seriesId,
  seriesName,
} from '@tidemark/model';
import { MemoryKeyValue, passRecord } from '@tidemark/simulation';
import { TagRecordWriter } from '@tidemark/tag-records';
import fc from 'fast-check';
import { DEFAULT_TAG_STORE_LIMITS, TagPartition } from './index.ts';
import { addFacts, type Fact, recordOf } from './testing/facts.ts';
import { NaiveTagStore } from './testing/naive-tag-store.ts';

const key = fc.constantFrom('host', 'env', 'a-b', 'a');
const value = fc.constantFrom('', 'x', 'xx', 'web-1', 'web-2', 'N/A', 'é:1');
const tag = fc.oneof(
  fc.tuple(key, value).map(([k, v]) => `${k}:${v}`),
  key,
);

const name: fc.Arbitrary<SeriesName> = fc
  .tuple(
    fc.constantFrom('acme', 'other'),
    fc.constantFrom('cpu', 'cpu.user', 'mem'),
    fc.constantFrom<SeriesClass>(1, 2, 3),
    fc.array(tag, { maxLength: 5 }),
  )
  .map(([tenant, metric, seriesClass, tags]) => seriesName(tenant, metric, seriesClass, tags));

/** Facts of days 0 to 4. */
const fact: fc.Arbitrary<Fact> = fc.record({ name, day: fc.nat(4), isNamed: fc.boolean() });

/** Records of facts; many facts repeat. */
const records: fc.Arbitrary<Fact[][]> = fc
  .array(fact, { minLength: 1, maxLength: 25 })
  .chain((facts) => fc.array(fc.array(fc.constantFrom(...facts), { maxLength: 8 }), { minLength: 1, maxLength: 10 }));

const pattern = fc
  .array(fc.constantFrom('*', 'x', 'web', '-', '1', ':'), { maxLength: 4 })
  .map((parts) => parts.join(''));

const filter: fc.Arbitrary<TagFilter | undefined> = fc.option(
  fc.letrec<{ filter: TagFilter }>((tie) => {
    const filters = fc.array(tie('filter'), { maxLength: 3 }).map((all) => ({ filters: all }));
    return {
      filter: fc
        .oneof(
          { maxDepth: 3, depthSize: 'small' },
          fc.constant(undefined),
          tag.map((text) => ({ $case: 'tag' as const, value: text })),
          fc.record({ $case: fc.constant('pattern' as const), value: fc.record({ key, pattern }) }),
          fc.record({
            $case: fc.constant('in' as const),
            value: fc.record({ key, values: fc.array(value, { maxLength: 3 }) }),
          }),
          fc.record({ $case: fc.constant('not' as const), value: tie('filter') }),
          fc.record({ $case: fc.constant('and' as const), value: filters }),
          fc.record({ $case: fc.constant('or' as const), value: filters }),
        )
        .map((step) => ({ filter: step })),
    };
  }).filter,
  { nil: undefined },
);

const PAIRS = fc.tuple(fc.nat(5 * 24), fc.nat(5 * 24)).map(([a, b]) => ({
  fromMs: Math.min(a, b) * (DAY_MS / 24),
  toMs: Math.max(a, b) * (DAY_MS / 24),
}));

function request(fields: Partial<MatchRequest>): MatchRequest {
  const everything = { fromMs: 0, toMs: 100 * DAY_MS, maxSeries: 0, maxGroups: 0 };
  return { partition: 0, tenant: 'acme', metric: 'cpu', filter: undefined, groupBy: [], ...everything, ...fields };
}

async function partitionOf(names: readonly SeriesName[], limits = DEFAULT_TAG_STORE_LIMITS): Promise<TagPartition> {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue(), limits });
  partition.apply(
    recordOf(
      0,
      names.map((each) => ({ name: each, day: 1, isNamed: true })),
    ),
  );
  return partition;
}

function hosts(count: number): SeriesName[] {
  return Array.from({ length: count }, (_, i) =>
    seriesName('acme', 'cpu', SERIES_CLASS.reading, [`host:h${i % 7}`, `pod:p${i}`, 'env:prod']),
  );
}

const tagIs = (value: string): TagFilter => ({ filter: { $case: 'tag', value } });

describe('answers against a naive model', () => {
  test('match, describeMetrics and describeTags agree over any facts, ranges, filters and groups', async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        filter,
        fc.array(fc.constantFrom('host', 'env', 'a', 'none'), { maxLength: 3 }),
        PAIRS,
        name,
        async (all, wanted, groupBy, range, { tenant, metric }) => {
          const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
          const model = new NaiveTagStore();
          all.forEach((facts, offset) => {
            passRecord(recordOf(offset, facts), (record) => partition.apply(record));
            addFacts(model, facts);
          });
          const asked = request({ tenant, metric, filter: wanted, groupBy, ...range });
          expect(partition.match(asked)).toEqual({
            ...model.match(asked),
            metricId: metricId(tenant, metric),
            tagsOffset: all.length,
            unchanged: false,
            gaps: [],
          });
          const described = {
            partition: 0,
            tenant,
            metric,
            limit: 2,
            contains: metric.slice(0, 4),
            names: [],
            ...range,
          };
          const next = { ...described, contains: '', limit: 1, after: metric };
          const filtered = { ...described, contains: '', filter: wanted };
          for (const one of [
            described,
            next,
            filtered,
            { ...filtered, after: metric },
            { ...filtered, names: [metric] },
          ]) {
            expect(partition.describeMetrics(one).metrics).toEqual(model.describeMetrics(one));
          }
          for (const one of [described, filtered]) {
            expect(partition.describeTags(one).keys).toEqual(model.describeTags(one));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('answers agree for lists longer than blocks and arrays: 4,500 series, by host, with negation and dead values', async () => {
    const names = hosts(4500);
    const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
    const model = new NaiveTagStore();
    for (let offset = 0; offset < 9; offset++) {
      const facts = names
        .slice(offset * 500, offset * 500 + 500)
        .map((each) => ({ name: each, day: offset, isNamed: true }));
      partition.apply(recordOf(offset, facts));
      addFacts(model, facts);
    }
    const notFirst: TagFilter = { filter: { $case: 'not', value: tagIs('host:h0') } };
    const pods: TagFilter = { filter: { $case: 'pattern', value: { key: 'pod', pattern: '*1*3' } } };
    const both: TagFilter = { filter: { $case: 'and', value: { filters: [notFirst, pods] } } };
    // A query of all days tries each value of the metric. One day has fewer series than values, and is read by series.
    for (const [fromMs, toMs] of [
      [0, 9 * DAY_MS],
      [4 * DAY_MS, 5 * DAY_MS],
    ]) {
      for (const wanted of [undefined, notFirst, both]) {
        const asked = request({ filter: wanted, groupBy: ['host'], fromMs, toMs });
        expect(partition.match(asked)).toMatchObject(model.match(asked));
      }
    }
  });
});

test('a series without the key and one tagged `key:N/A` are in one group', async () => {
  const names = [[], ['host:N/A'], ['host:']].map((tags) => seriesName('acme', 'cpu', SERIES_CLASS.reading, tags));
  const { groups } = (await partitionOf(names)).match(request({ groupBy: ['host'] }));
  expect(groups.map(({ tags, series }) => [tags[0], series.length])).toEqual([
    ['host:', 16],
    ['host:N/A', 32],
  ]);
});

test('a series that was seen before and after a range is alive in it, and no other', async () => {
  const [rare, ended, later] = hosts(3);
  const partition = await partitionOf([rare, ended]);
  partition.apply(
    recordOf(
      1,
      [rare, later].map((each) => ({ name: each, day: 4, isNamed: true })),
    ),
  );
  const seriesIn = (fromDay: number, toDay: number) => {
    const { groups } = partition.match(request({ fromMs: fromDay * DAY_MS, toMs: toDay * DAY_MS }));
    return groups.map(({ series }) => series.toString('hex'));
  };
  expect(seriesIn(2, 3)).toEqual([seriesId(rare).toString('hex')]);
  expect(seriesIn(0, 1)).toEqual([]);
  expect(seriesIn(5, 6)).toEqual([]);
});

test('a series that was seen on four of eight days is alive on the three days after the last of them', async () => {
  const [daily, often, seldom] = hosts(3);
  const seenOn = new Map([
    [daily, [10, 11, 12, 13]],
    [often, [6, 8, 10, 13]],
    [seldom, [1, 11, 12, 13]],
  ]);
  const days = [...seenOn].flatMap(([name, all]) => all.map((day) => ({ name, day, isNamed: true })));
  const partition = await partitionOf([]);
  partition.apply(recordOf(1, days));
  const seriesOn = (day: number) => {
    const { groups } = partition.match(request({ fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS }));
    return groups.flatMap(({ series }) => series.toString('hex').match(/.{32}/g) ?? []);
  };
  const idsOf = (...names: readonly (typeof daily)[]) => names.map((name) => seriesId(name).toString('hex')).sort();
  expect(seriesOn(14)).toEqual(idsOf(daily, often));
  expect(seriesOn(16)).toEqual(idsOf(daily));
  expect(seriesOn(17)).toEqual([]);
});

test('the series that are alive on any days agree with the model, for any days on which they were seen', async () => {
  const facts = fc.array(
    fc.record({ name: fc.constantFrom(...hosts(3)), day: fc.nat(12), isNamed: fc.constant(true) }),
    {
      maxLength: 30,
    },
  );
  await fc.assert(
    fc.asyncProperty(facts, fc.nat(15), fc.nat(3), async (all, firstDay, length) => {
      const partition = await partitionOf([]);
      partition.apply(recordOf(1, all));
      const model = new NaiveTagStore();
      addFacts(model, all);
      const asked = request({ fromMs: firstDay * DAY_MS, toMs: (firstDay + length) * DAY_MS });
      expect(partition.match(asked)).toMatchObject(model.match(asked));
    }),
    { numRuns: 500 },
  );
});

describe('limits', () => {
  test('too many series or groups are resource_exhausted, with the limit and the number found', async () => {
    const partition = await partitionOf(hosts(50));
    expect(() => partition.match(request({ maxSeries: 49 }))).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        message: expect.stringMatching(/50 series.*max_series 49/),
      }),
    );
    expect(() => partition.match(request({ maxGroups: 6, groupBy: ['host'] }))).toThrow(
      expect.objectContaining({ code: 'resource_exhausted', message: expect.stringMatching(/6 groups.*max_groups 6/) }),
    );
    expect(partition.match(request({ maxSeries: 50, maxGroups: 7, groupBy: ['host'] })).groups).toHaveLength(7);
  });

  test('a series of several values counts in each group', async () => {
    const partition = await partitionOf([
      seriesName('acme', 'cpu', SERIES_CLASS.reading, ['role:a', 'role:b', 'role:c']),
    ]);
    expect(partition.match(request({ groupBy: ['role'] })).groups.map(({ tags }) => tags[0])).toEqual([
      'role:a',
      'role:b',
      'role:c',
    ]);
    expect(() => partition.match(request({ groupBy: ['role', 'role'], maxSeries: 8 }))).toThrow(/max_series 8/);
  });

  test('deep, long and unknown requests are refused by name', async () => {
    const partition = await partitionOf(hosts(1), { ...DEFAULT_TAG_STORE_LIMITS, filterTerms: 10, seriesTags: 2 });
    let deep = tagIs('env:prod');
    for (let i = 0; i < 40; i++) deep = { filter: { $case: 'not', value: deep } };
    const values = Array.from({ length: 11 }, (_, i) => `v${i}`);
    const long: TagFilter = { filter: { $case: 'in', value: { key: 'env', values } } };
    expect(() => partition.match(request({ filter: deep }))).toThrow(/filter_/);
    expect(() => partition.match(request({ filter: long }))).toThrow(/filter_terms 10/);
    expect(() => partition.match(request({ groupBy: values.concat(values) }))).toThrow(/group_keys 20/);
    const series = (bytes: number) => () =>
      partition.seriesTags({ partition: 0, tenant: 'acme', series: Buffer.alloc(bytes) });
    expect(series(48)).toThrow(/series 2/);
    expect(series(17)).toThrow(/16 bytes an id/);
  });
});

test('seriesTags answers in the order of the request, and only for series of the tenant', async () => {
  const [first, second] = hosts(2);
  const partition = await partitionOf([first, second]);
  const series = Buffer.concat([seriesId(second), Buffer.alloc(16), seriesId(first)]);
  const unknown = { metric: '', kind: 0, tags: [] };
  const known = ({ metric, seriesClass, tags }: SeriesName) => ({ metric, kind: kindOfClass(seriesClass), tags });
  const answer = (tenant: string) => partition.seriesTags({ partition: 0, tenant, series }).series;
  expect(answer('acme')).toEqual([known(second), unknown, known(first)]);
  expect(answer('other')).toEqual([unknown, unknown, unknown]);
});

test('a metric that is stated and has no series counts as one towards the budget of its tenant', async () => {
  const partition = await partitionOf(hosts(3));
  const record = new TagRecordWriter();
  for (const metric of ['cpu', 'idle', 'busy']) record.addStatement('acme', metric, 'user', { unit: 'percent' });
  partition.apply({ offset: 1, appendTimeMs: 0, value: record.take() });
  expect(partition.budgets(4, 9, 2)).toEqual({ tenants: [], metrics: [] });
  expect(partition.budgets(1, 9, 2)).toEqual({ tenants: [{ tenant: 'acme', series: 2 }], metrics: [] });
  expect(partition.budgets(4, 9)).toEqual({ tenants: [{ tenant: 'acme', series: 5 }], metrics: [] });
});

test('seriesCount and budgets count each series once, also since a day', async () => {
  const partition = await partitionOf([...hosts(30), seriesName('acme', 'mem', SERIES_CLASS.reading, [])]);
  partition.apply(
    recordOf(
      1,
      [...hosts(20), ...hosts(5)].map((each) => ({ name: each, day: 7, isNamed: false })),
    ),
  );
  expect(partition.seriesCount('acme', 'cpu')).toBe(30);
  expect(partition.seriesCount('acme', 'cpu', 2)).toBe(20);
  expect(partition.seriesCount('other', 'cpu')).toBe(0);
  expect(partition.budgets(30, 29)).toEqual({
    tenants: [{ tenant: 'acme', series: 31 }],
    metrics: [{ tenant: 'acme', metric: 'cpu', series: 30 }],
  });
  expect(partition.budgets(31, 30)).toEqual({ tenants: [], metrics: [] });
  expect(partition.budgets(19, 20, 2)).toEqual({ tenants: [{ tenant: 'acme', series: 20 }], metrics: [] });
});
