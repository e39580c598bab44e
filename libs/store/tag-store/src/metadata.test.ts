import { expect, test } from '@jest/globals';
import type { DescribeMetricsRequest } from '@tidemark/contract';
import {
  DAY_MS,
  KIND,
  type MetricChange,
  SERIES_CLASS,
  type StatedSource,
  seriesId,
  seriesName,
} from '@tidemark/model';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagRecordWriter } from '@tidemark/tag-records';
import { TagPartition } from './index.ts';

const DAY = 20_000;

function state(partition: TagPartition, ...changes: readonly [StatedSource, MetricChange][]): void {
  const writer = new TagRecordWriter();
  for (const [source, change] of changes) writer.addStatement('acme', 'hits', source, change);
  partition.apply({ offset: partition.nextOffset, appendTimeMs: 0, value: writer.take() });
}

function name(partition: TagPartition): void {
  const writer = new TagRecordWriter();
  const series = seriesName('acme', 'hits', SERIES_CLASS.reading, ['host:a']);
  writer.addSeries(seriesId(series), series, DAY);
  partition.apply({ offset: partition.nextOffset, appendTimeMs: 0, value: writer.take() });
}

const describe = (partition: TagPartition, stated?: boolean, change: Partial<DescribeMetricsRequest> = {}) =>
  partition.describeMetrics({
    partition: 0,
    tenant: 'acme',
    contains: '',
    fromMs: 0,
    limit: 0,
    stated,
    names: [],
    ...change,
  }).metrics;

test('of each source and field the last statement stands, from before the first series on', async () => {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  state(partition, ['protocol', { kind: KIND.counter, unit: 'byte' }], ['user', { description: 'of the web' }]);
  expect(describe(partition)).toEqual([]);
  expect(describe(partition, true)).toMatchObject([{ metric: 'hits', classes: [], series: 0, lastDayMs: 0 }]);
  name(partition);
  state(partition, ['protocol', { kind: KIND.gauge }], ['user', { intervalMs: 10_000, description: null }]);
  expect(describe(partition)[0].metadata).toEqual({
    protocol: { kind: KIND.gauge, unit: 'byte' },
    user: { intervalMs: 10_000 },
  });
});

test('with a stated interval, a series is found as long as its last reading holds', async () => {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  name(partition);
  const foundOn = (day: number) =>
    partition.match({
      ...{ partition: 0, tenant: 'acme', metric: 'hits', filter: undefined, groupBy: [], maxSeries: 0, maxGroups: 0 },
      ...{ fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS },
    }).groups.length;
  const found = () => [1, 5, 6].map((days) => foundOn(DAY + days));
  expect(found()).toEqual([0, 0, 0]);
  state(partition, ['protocol', { intervalMs: 2 * DAY_MS }]);
  expect(found()).toEqual([1, 1, 0]);
  state(partition, ['user', { intervalMs: 60_000 }]);
  expect(found()).toEqual([0, 0, 0]);
});

test('metrics that only a user speaks of are listed when asked for, within the limit and by their names', async () => {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  name(partition);
  const later = { fromMs: (DAY + 1) * DAY_MS };
  state(partition, ['protocol', { unit: 'byte' }]);
  expect(describe(partition, true, later)).toEqual([]);
  state(partition, ['user', { unit: 'bit' }]);
  expect(describe(partition, false, later)).toEqual([]);
  expect(describe(partition, true, later)).toMatchObject([{ metric: 'hits', classes: [], series: 0 }]);
  const writer = new TagRecordWriter();
  const series = seriesName('acme', 'later', SERIES_CLASS.reading, []);
  writer.addSeries(seriesId(series), series, DAY + 1);
  partition.apply({ offset: partition.nextOffset, appendTimeMs: 0, value: writer.take() });
  const limited = describe(partition, true, { ...later, limit: 1 });
  expect(limited.map(({ metric }) => metric)).toEqual(['hits']);
  const named = describe(partition, true, { ...later, names: ['later', 'never', 'later'] });
  expect(named.map(({ metric }) => metric)).toEqual(['later']);
  state(partition, ['user', { unit: null }]);
  expect(describe(partition, true, later).map(({ metric }) => metric)).toEqual(['later']);
});

test('statements survive a restart, and the hash of the state depends on the last ones alone', async () => {
  const keyValue = new MemoryKeyValue();
  const partition = await TagPartition.open({ keyValue });
  name(partition);
  const before = partition.stateHash();
  state(partition, ['user', { kind: KIND.counter }], ['implied', { kind: KIND.gauge }]);
  const counter = partition.stateHash();
  state(partition, ['user', { kind: KIND.gauge }]);
  await partition.commit();
  const reopened = await TagPartition.open({ keyValue });
  expect(describe(reopened)).toEqual(describe(partition));
  expect(reopened.stateHash()).toBe(partition.stateHash());
  state(reopened, ['user', { kind: KIND.counter }]);
  expect(reopened.stateHash()).toBe(counter);
  expect(counter).not.toBe(before);
});
