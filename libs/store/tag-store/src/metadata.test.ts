import { expect, test } from '@jest/globals';
import { KIND, type MetricChange, SERIES_CLASS, type StatedSource, seriesId, seriesName } from '@tidemark/model';
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

const describe = (partition: TagPartition, stated?: boolean) =>
  partition.describeMetrics({ partition: 0, tenant: 'acme', contains: '', fromMs: 0, limit: 0, stated }).metrics;

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

test('statements survive a restart, and the hash of the state depends on the last ones alone', async () => {
  const keyValue = new MemoryKeyValue();
  const partition = await TagPartition.open({ keyValue });
  name(partition);
  const before = partition.stateHash();
  state(partition, ['user', { kind: KIND.counter }]);
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
