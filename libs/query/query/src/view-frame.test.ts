import { describe, expect, test } from '@jest/globals';
import { evenMap, KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { asAnswered } from './query-reader.ts';
import { FROM_MS, gauge, LATENESS_MS, setUp, TO_MS } from './testing/one-partition.ts';

describe('a view of another time', () => {
  const DAY_MS = 86_400_000;
  const days = [0, 1, 2].map((day) => gauge(FROM_MS - day * DAY_MS, day));

  test('is read at its time, shown at that of the range, and complete by as much later', async () => {
    const { stores, run } = setUp(days);
    // The values hold over the minute's end.
    const firstMs = FROM_MS - (FROM_MS % 60_000);
    const starts = [firstMs, firstMs + 60_000];
    const reply = await run('day_before(avg:load{*}.rollup(60)), avg:load{*}.rollup(60)');
    expect(reply.series.map(({ timesMs, values, expression }) => [timesMs, values, expression])).toEqual([
      [starts, [1, 1], 'day_before(avg:load{*}.rollup(60))'],
      [starts, [0, 0], 'avg:load{*}.rollup(60)'],
    ]);
    // The plain part is the less complete one; alone, the shifted one has all of the range and a day more.
    expect(reply.completeThroughMs).toBe(TO_MS - LATENESS_MS);
    expect((await run('day_before(avg:load{*})')).completeThroughMs).toBe(TO_MS - LATENESS_MS + DAY_MS);
    expect((await run('timeshift(avg:load{*}, 60)')).completeThroughMs).toBe(TO_MS - LATENESS_MS - 60_000);
    stores.watermarksMs.set(0, TO_MS - 2 * DAY_MS);
    expect((await run('day_before(avg:load{*})')).completeThroughMs).toBe(TO_MS - LATENESS_MS - DAY_MS);
    stores.failing.set('points/0', new TidemarkError('unavailable', 'down'));
    const half = await run('day_before(avg:load{*})');
    expect(half.completeThroughMs).toBeUndefined();
    expect(half.errors).toEqual([{ part: 'points/0', code: 'unavailable', message: 'down' }]);
  });

  test('asks the partitions of the maps of the time that is read', async () => {
    const asked: number[] = [];
    const { run } = setUp(days, {
      maps: (sinceMs) => {
        asked.push(sinceMs);
        return [evenMap(1)];
      },
    });
    await run('avg:load{*}');
    await run('day_before(avg:load{*})');
    expect(asked[0] - asked[1]).toBe(DAY_MS);
  });

  test('equal leaves with the same shift are read once, with the longest past', async () => {
    const { stores, run } = setUp(days);
    await run('avg:load{*} - ewma_3(avg:load{*}) - median_3(avg:load{*}), hour_before(load{*}) / hour_before(load{*})');
    expect(stores.requests.filter((request) => request.startsWith('tags'))).toHaveLength(2);
  });

  test('a shift to before 1970 has no values and asks no store', async () => {
    const { stores, service } = setUp([gauge(1000, 1)]);
    const reply = await service.run(
      'default',
      { query: 'day_before(avg:load{*})', fromMs: 0, toMs: 60_000 },
      asAnswered,
    );
    expect(reply.series).toEqual([]);
    expect(stores.requests.filter((request) => request.startsWith('points'))).toEqual([]);
  });

  test('calendar steps begin where days do, and are joined from steps of one length', async () => {
    const hours = Array.from({ length: 96 }, (_, i) =>
      gauge(Date.parse('2026-03-27T23:00Z') + i * 3_600_000, 1, { kind: KIND.count }),
    );
    const { stores, service } = setUp(hours);
    const reply = await service.run(
      'default',
      {
        query: "sum:load{*}.rollup(sum, daily, 'Europe/Berlin')",
        fromMs: Date.parse('2026-03-28T12:00Z'),
        toMs: Date.parse('2026-03-30T12:00Z'),
      },
      asAnswered,
    );
    const [{ timesMs, values, intervalMs }] = reply.series;
    expect(timesMs.map((ms) => new Date(ms).toISOString().slice(5, 16))).toEqual([
      '03-27T23:00',
      '03-28T23:00',
      '03-29T22:00',
    ]);
    expect(values).toEqual([24, 23, 24]);
    expect(intervalMs).toBe(DAY_MS);
    expect(reply.notes).toEqual([]);
    expect(stores.requests.filter((request) => request.startsWith('points'))).toHaveLength(3);
  });

  test('joined steps count as values before they have memory', async () => {
    const fromMs = Date.parse('2026-03-28T12:00Z');
    const range = { fromMs, toMs: fromMs + 2 * DAY_MS };
    const query = "sum:load{*}.rollup(sum, daily, 'Europe/Berlin')";
    // Three steps, as read and as joined.
    const { service } = setUp(
      [0, 1, 2].map((day) => gauge(fromMs + day * DAY_MS - 1, 1)),
      { limits: { values: 6 } },
    );
    await expect(service.run('default', { query, ...range }, asAnswered)).resolves.toBeDefined();
    const { service: less } = setUp([gauge(fromMs, 1), gauge(fromMs + 2 * DAY_MS - 1, 1)], { limits: { values: 5 } });
    await expect(less.run('default', { query, ...range }, asAnswered)).rejects.toMatchObject({
      code: 'resource_exhausted',
      detail: { limit: 'query.values' },
    });
  });
});

test('a smoothed step has one value in every range that it is in', async () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const points = fc.array(fc.record({ atMs: fc.integer({ min: -400_000, max: 60_000 }), value }), { maxLength: 80 });
  const smoothing = fc.constantFrom(
    ...['ewma_3(Q)', 'ewma_20(Q)', 'median_9(Q)', "moving_rollup(Q, 70, 'avg')", "moving_rollup(Q, 45, 'sum')"],
    ...['rollingavg_13(Q)', 'ewma_5(median_3(abs(Q)))', 'hour_before(ewma_10(Q)) + median_5(Q)'],
  );
  const later = fc.integer({ min: 1, max: 59_999 });
  await fc.assert(
    fc.asyncProperty(points, smoothing, later, async (all, text, laterMs) => {
      const distinct = new Map(all.map(({ atMs, value: one }) => [atMs, gauge(FROM_MS + atMs, one)]));
      const hourAgo = all.map(({ atMs }) => gauge(FROM_MS + atMs - 3_600_000, atMs));
      const earlier = new Map(hourAgo.map((point) => [point.timeMs, point]));
      const { service } = setUp([...distinct.values(), ...earlier.values()]);
      const valuesFrom = async (fromMs: number) => {
        const query = text.replaceAll('Q', 'avg:load{*}.rollup(10)');
        const { series } = await service.run('default', { query, fromMs, toMs: TO_MS }, asAnswered);
        return new Map(series.flatMap(({ timesMs, values }) => timesMs.map((time, i) => [time, values[i]] as const)));
      };
      const whole = await valuesFrom(FROM_MS);
      const fromMs = FROM_MS + laterMs;
      const stepMs = fromMs - (fromMs % 10_000);
      expect(await valuesFrom(fromMs)).toEqual(new Map([...whole].filter(([time]) => time >= stepMs)));
    }),
  );
});
