import { expect, test } from '@jest/globals';
import { KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { FROM_MS, gauge, setUp, TO_MS, TWO_OWNERS } from './testing/one-partition.ts';

test('the interval that is stated of a metric is how long its readings hold, times 2.5', async () => {
  const { run, stores } = setUp([gauge(FROM_MS, 5)]);
  const held = async () => (await run('avg:load{*}.rollup(last, 1)')).series[0].values.length;
  expect(await held()).toBe(25);
  stores.stated.set(0, { user: { intervalMs: 4000 }, protocol: { kind: KIND.gauge }, implied: undefined });
  expect(await held()).toBe(10);
});

test('of what two owners of a metric know, that of the owner by the newest map holds', async () => {
  const points = [gauge(FROM_MS, 1), gauge(FROM_MS + 1000, 2, { partition: 1 })];
  const { service, stores, run } = setUp(points, { maps: TWO_OWNERS });
  stores.watermarksMs.set(1, TO_MS);
  stores.stated.set(0, {
    user: { unit: 'old', description: 'of before' },
    protocol: { kind: KIND.gauge },
    implied: undefined,
  });
  stores.stated.set(1, { user: { unit: 'new' }, protocol: { kind: KIND.counter }, implied: undefined });
  const { description } = await service.metric('default', 'load');
  expect(description?.metadata).toEqual({
    user: { unit: 'new', description: 'of before' },
    protocol: { kind: KIND.counter },
    implied: {},
  });
  const { metrics } = await service.metrics('default', { contains: '', fromMs: 0, limit: 0 });
  expect(metrics).toEqual([description]);
  const { notes } = await run('sum:load{*}.as_rate()');
  expect(notes.filter((note) => note.includes('is a gauge'))).toEqual([]);
});

test('an answer states the unit that follows from those of its metrics', async () => {
  const { run, stores } = setUp([gauge(FROM_MS, 5)]);
  const unit = async (query: string) => (await run(query)).series[0].unit;
  expect(await unit('avg:load{*}')).toBeUndefined();
  stores.stated.set(0, { user: { unit: 'byte' }, protocol: { kind: KIND.gauge, unit: 'bit' }, implied: undefined });
  expect(await unit('avg:load{*}')).toEqual({ name: 'byte', per: '' });
  expect(await unit('throughput(avg:load{*})')).toEqual({ name: 'byte', per: 'second' });
  expect(await unit('avg:load{*} / avg:load{*}')).toBeUndefined();
});

test('one metric is found by its whole name, and another name gets a suggestion', async () => {
  const { service, stores } = setUp([gauge(FROM_MS, 1), gauge(FROM_MS, 1, { metric: 'load.average' })]);
  expect((await service.metric('default', 'load')).description).toMatchObject({ metric: 'load', series: 1 });
  await expect(service.metric('default', 'load.avrage')).rejects.toMatchObject({
    code: 'not_found',
    message: 'no metric has the name load.avrage; did you mean load.average?',
  });
  await expect(service.metric('acme', 'load')).rejects.toMatchObject({ code: 'not_found' });
  stores.failing.set('tags/0', new TidemarkError('unavailable', 'down'));
  await expect(service.metric('default', 'load')).rejects.toMatchObject({ code: 'unavailable' });
});

test('one metric is found by its whole name, also where many other names contain it', async () => {
  const others = Array.from({ length: 5 }, (_, i) => gauge(FROM_MS, 1, { metric: `a${i}.\u{1f600}` }));
  const points = [...others, gauge(FROM_MS, 1, { metric: '\u{1f600}' })];
  const { service } = setUp(points, { limits: { described: 2 } });
  expect((await service.metric('default', '\u{1f600}')).description).toMatchObject({ metric: '\u{1f600}', series: 1 });
});

test('a list asks once of each partition where no metric has moved', async () => {
  const { service, stores } = setUp([gauge(FROM_MS, 1)]);
  await service.metrics('default', { contains: '', fromMs: 0, limit: 0 });
  expect(stores.requests).toEqual(['tags/0']);
});

test('a suggested command is quoted for a shell', async () => {
  const { run } = setUp([gauge(FROM_MS, 5, { metric: "it's load", kind: KIND.reading })]);
  const { notes } = await run(`sum:"it's load"{*}.rollup(60).as_rate()`);
  expect(notes).toContainEqual(expect.stringContaining(`tidemark metric set 'it'\\''s load' --kind counter`));
});

test('what points imply is weaker than what is said in so many words', async () => {
  const { stores, run } = setUp([gauge(FROM_MS, 5)]);
  const said = { user: undefined, protocol: { kind: KIND.counter }, implied: { kind: KIND.gauge } };
  stores.stated.set(0, said);
  expect((await run('sum:load{*}.as_rate()')).notes).not.toContainEqual(expect.stringContaining('is a gauge'));
  stores.stated.set(0, { ...said, protocol: undefined });
  expect((await run('sum:load{*}.as_rate()')).notes).toContainEqual(
    expect.stringMatching(/is a gauge, as its senders/),
  );
});

test('readings of unknown kind are shown as sent, and a rate of them has a note', async () => {
  const points = [40, 35, 50, 50].map((value, i) =>
    gauge(FROM_MS - (FROM_MS % 60_000) + i * 60_000, value, { kind: KIND.reading, metric: 'requests_sum' }),
  );
  const { run } = setUp(points);
  const plain = await run('sum:requests_sum{*}.rollup(60)');
  expect(plain.series[0].values.slice(0, 2)).toEqual([40, 35]);
  expect(plain.notes).toContainEqual(
    expect.stringMatching(/only by its name, and is shown as it was sent: .*--kind counter/),
  );
  const rate = await run('sum:requests_sum{*}.rollup(60).as_rate()');
  expect(rate.notes).toContainEqual(expect.stringMatching(/^requests_sum is a counter only by its name, and as_rate/));
});

test('a rate of what is stated to be a gauge has a note that says who states it', async () => {
  const { run, stores } = setUp([gauge(FROM_MS, 4)]);
  const rate = async () => (await run('sum:load{*}.rollup(60).as_rate()')).notes.filter((one) => /gauge/.test(one));
  expect(await rate()).toEqual([
    expect.stringMatching(/^load is a gauge, as its senders stated: as_rate\(\) changes nothing, .* --kind counter$/),
  ]);
  stores.stated.set(0, { user: { kind: KIND.gauge }, protocol: { kind: KIND.counter }, implied: undefined });
  expect(await rate()).toEqual([expect.stringMatching(/^load is a gauge, as a user stated/)]);
  stores.stated.set(0, { user: { kind: KIND.counter }, protocol: { kind: KIND.gauge }, implied: undefined });
  expect(await rate()).toEqual([]);
  expect((await run('sum:load{*}.rollup(60)')).notes).toEqual([expect.stringMatching(/no two readings of a counter/)]);
});
