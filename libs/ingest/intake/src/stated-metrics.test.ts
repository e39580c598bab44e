import { expect, test } from '@jest/globals';
import { evenMap, KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { ManualClock } from '@tidemark/simulation';
import { StatedMetrics } from './stated-metrics.ts';
import type { MetricStatementEntry, TagPublisher } from './tag-publisher.ts';

function setUp() {
  const clock = new ManualClock();
  const published: MetricStatementEntry[] = [];
  const log = { isFull: false };
  /** Partitions that were published to. */
  const askedOf: number[] = [];
  const tags: Pick<TagPublisher, 'publishStatements'> = {
    publishStatements: async (entries) => {
      if (log.isFull) throw new TidemarkError('resource_exhausted', 'the log is full');
      published.push(...entries);
    },
  };
  const { signal } = new AbortController();
  const maps = { current: evenMap(1, 1) };
  const stated = new StatedMetrics({
    clock,
    signal,
    metricBytes: 200,
    allMaps: async () => [maps.current],
    map: () => maps.current,
    tagsOf: (partition) => {
      askedOf.push(partition);
      return tags as TagPublisher;
    },
  });
  const changes = () => published.splice(0).map(({ metric, source, change }) => [metric, source, change]);
  /** Advances the clock and waits for what its timers began. */
  const pass = async (durationMs: number) => {
    clock.advance(durationMs);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { pass, stated, changes, log, maps, askedOf };
}

test('what a protocol repeats is published once, and what it changes again', async () => {
  const { pass, stated, changes } = setUp();
  for (let i = 0; i < 3; i++) stated.noteSeries('acme', 'hits', KIND.counter);
  stated.note('acme', 'hits', { unit: 'byte' });
  await pass(200);
  expect(changes()).toEqual([
    ['hits', 'implied', { kind: KIND.counter }],
    ['hits', 'protocol', { unit: 'byte' }],
  ]);
  stated.noteSeries('acme', 'hits', KIND.counter);
  stated.note('acme', 'hits', { unit: 'bit' });
  await pass(200);
  expect(changes()).toEqual([['hits', 'protocol', { unit: 'bit' }]]);
});

test('a metric is stated in the partition of the map that is in force', async () => {
  const { pass, stated, changes, maps, askedOf } = setUp();
  const { slots } = evenMap(1, 1);
  for (const [epoch, partition] of [0, 3, 1].entries()) {
    maps.current = { epoch: epoch + 1, partitions: 4, slots: slots.map(() => partition) };
    stated.noteSeries('acme', 'hits', KIND.counter);
    stated.noteSeries('acme', 'hits', KIND.counter);
    await pass(200);
    expect(changes()).toEqual([['hits', 'implied', { kind: KIND.counter }]]);
  }
  expect(askedOf).toEqual([0, 3, 1]);
});

test('a series of unknown kind, a count and a distribution state nothing', async () => {
  const { pass, stated, changes } = setUp();
  for (const kind of [KIND.reading, KIND.count, KIND.distribution]) stated.noteSeries('acme', 'hits_total', kind);
  await pass(200);
  expect(changes()).toEqual([]);
});

test('what is said before the first series is published with it', async () => {
  const { pass, stated, changes } = setUp();
  stated.note('acme', 'hits', { kind: KIND.gauge, description: 'of the web' });
  await pass(200);
  expect(changes()).toEqual([]);
  stated.noteSeries('acme', 'hits', KIND.reading);
  await pass(200);
  expect(changes()).toEqual([['hits', 'protocol', { kind: KIND.gauge, description: 'of the web' }]]);
});

test('before the first series the newest metrics of each tenant are remembered, and what says nothing takes no room', async () => {
  const { pass, stated, changes } = setUp();
  stated.note('acme', 'first', { unit: 'byte' });
  stated.note('other', 'first', { unit: 'byte' });
  for (let i = 0; i < 10_000; i++) stated.note('acme', `empty.${i}`, { unit: '', intervalMs: 0 });
  for (let i = 0; i < 9_999; i++) stated.note('acme', `m.${i}`, { unit: 'bit' });
  stated.noteSeries('acme', 'first', KIND.reading);
  await pass(200);
  expect(changes()).toEqual([['first', 'protocol', { unit: 'byte' }]]);
  for (let i = 0; i < 2; i++) stated.note('acme', `late.${i}`, { unit: 'day' });
  for (const name of ['m.0', 'm.1', 'late.1']) stated.noteSeries('acme', name, KIND.reading);
  stated.noteSeries('other', 'first', KIND.reading);
  await pass(200);
  expect(changes()).toEqual([
    ['m.1', 'protocol', { unit: 'bit' }],
    ['late.1', 'protocol', { unit: 'day' }],
    ['first', 'protocol', { unit: 'byte' }],
  ]);
});

test('beyond the limit of all tenants, the one with the most metrics forgets its oldest', async () => {
  const { pass, stated, changes } = setUp();
  for (let tenant = 0; tenant < 10; tenant++) {
    for (let i = 0; i < 10_000 - tenant; i++) stated.note(`t${tenant}`, `m.${i}`, { unit: 'bit' });
  }
  for (let i = 0; i < 46; i++) stated.note('small', `m.${i}`, { unit: 'bit' });
  for (const tenant of ['t0', 't9', 'small']) stated.noteSeries(tenant, 'm.0', KIND.reading);
  await pass(200);
  expect(changes()).toHaveLength(2);
});

test('what a series implies and what is said of its metric are kept apart, in either order', async () => {
  const { pass, stated, changes } = setUp();
  stated.noteSeries('acme', 'hits', KIND.gauge);
  stated.note('acme', 'hits', { kind: KIND.counter });
  stated.noteSeries('acme', 'hits', KIND.gauge);
  stated.note('acme', 'jobs', { kind: KIND.counter });
  stated.noteSeries('acme', 'jobs', KIND.gauge);
  await pass(200);
  expect(changes()).toEqual([
    ['hits', 'implied', { kind: KIND.gauge }],
    ['hits', 'protocol', { kind: KIND.counter }],
    ['jobs', 'protocol', { kind: KIND.counter }],
    ['jobs', 'implied', { kind: KIND.gauge }],
  ]);
});

test('a statement that the log does not accept is tried again, and a user learns of it', async () => {
  const { pass, stated, changes, log } = setUp();
  log.isFull = true;
  stated.noteSeries('acme', 'hits', KIND.gauge);
  await expect(stated.state('acme', 'hits', { unit: 'byte' })).rejects.toThrow('the log has used all of its bytes');
  await pass(5000);
  log.isFull = false;
  await pass(2000);
  expect(changes()).toEqual([['hits', 'implied', { kind: KIND.gauge }]]);
});

test('senders that contradict each other do not fill the log', async () => {
  const { pass, stated, changes } = setUp();
  for (let i = 0; i < 100; i++) {
    stated.noteSeries('acme', 'hits', i % 2 === 0 ? KIND.gauge : KIND.counter);
    await pass(200);
  }
  expect(changes().length).toBeLessThan(40);
});

test('what is not valid says nothing, and too long texts are cut', async () => {
  const { pass, stated, changes } = setUp();
  stated.noteSeries('acme', 'hits', KIND.reading);
  stated.note('acme', 'hits', { kind: KIND.distribution, unit: '', intervalMs: 0.5, description: 'd'.repeat(5000) });
  stated.note('acme', 'hits', { kind: null, unit: null, intervalMs: 1e12 });
  for (const name of ['', 'm'.repeat(201), '\ud800']) {
    stated.noteSeries('acme', name, KIND.reading);
    stated.note('acme', name, { unit: 'byte' });
  }
  await pass(200);
  expect(changes()).toEqual([['hits', 'protocol', { description: 'd'.repeat(1000) }]]);
});

test('metrics that never have a series do not keep later ones out', async () => {
  const { pass, stated, changes } = setUp();
  for (let i = 0; i < 20_000; i++) stated.note('other', `never.${i}`, { unit: 'byte' });
  stated.note('acme', 'hits', { unit: 'bit' });
  stated.noteSeries('acme', 'hits', KIND.reading);
  await pass(200);
  expect(changes()).toEqual([['hits', 'protocol', { unit: 'bit' }]]);
});
