import { describe, expect, test } from '@jest/globals';
import { ByteWriter, toHex } from '@tidemark/bytes';
import { DEFAULT_POINT_LIMITS, evenMap, packSlots } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { metricIn, PARTITIONS, TENANT } from './intake-bench.fixture.ts';
import { DEFAULT_INTAKE_LIMITS } from './intake-limits.ts';
import { DAY_MS, gauge, HOUR_MS, idOf, reasons, request, started, stored } from './request-intake.fixture.ts';
import { RequestIntake } from './request-intake.ts';
import type { RequestResult } from './request-outcome.ts';

describe('requests', () => {
  test('requests may have points in any order, and tags of a series in any order', async () => {
    const { bench, intake } = await started();
    const one = intake.open(TENANT);
    const nowMs = bench.acceptClock.nowMs();
    const a = one.series(gauge(0, 'a:1', 'b:2'));
    const b = one.series(gauge(0, 'c:1'));
    expect(one.series(gauge(0, 'b:2', 'a:1', 'a:1'))).toBe(a);
    one.point(b, nowMs, 1);
    one.point(a, nowMs, 2);
    one.point(b, nowMs - 1000, 3);
    one.columns(
      Uint32Array.of(a, b, 99),
      Float64Array.of(nowMs - 5000, nowMs - 2000.5, 0),
      Float64Array.of(4, 5, 6),
      2,
    );
    expect(await bench.play(one.send())).toMatchObject({ outcome: 'acked', acceptedPoints: 5, rejections: [] });
    const points = (await stored(bench)).map(({ series, timeMs, value }) => [series, timeMs - nowMs, value]);
    const [idA, idB] = [idOf(gauge(0, 'a:1', 'b:2')), idOf(gauge(0, 'c:1'))];
    expect(points).toEqual([
      [idA, -5000, 4],
      [idA, 0, 2],
      [idB, -2001, 5],
      [idB, -1000, 3],
      [idB, 0, 1],
    ]);
  });

  test.each([
    ['their budget is known', false],
    ['their budget must be checked first', true],
  ])('lent columns are read before send returns, when %s', async (_, over) => {
    const { bench, intake, session } = await started(
      {},
      { knownSeries: async (_partition, _tenant, ids) => ids.map(() => true) },
    );
    if (over) {
      await bench.decide({ $case: 'budget', value: { term: 1, tenant: TENANT, metric: '', limit: 1, over } });
      await bench.until(() => session?.budgets.isExceeded({ tenant: TENANT, metric: 'm' }) === true);
    }
    const one = intake.open(TENANT);
    const handles = Uint32Array.of(one.series(gauge(0)), one.series(gauge(1)));
    const timesMs = new Float64Array(2).fill(bench.acceptClock.nowMs());
    const values = Float64Array.of(1, 2);
    one.columns(handles, timesMs, values, 2);
    const sent = one.send();
    for (const column of [handles, timesMs, values]) column.fill(77);
    expect(await bench.play(sent)).toMatchObject({ outcome: 'acked', acceptedPoints: 2, rejections: [] });
    expect((await stored(bench)).map(({ value }) => value)).toEqual([1, 2]);
  });

  test('requests may have numbers and sketches of every kind', async () => {
    const { bench, intake } = await started();
    const nowMs = bench.acceptClock.nowMs();
    const sketch = new DDSketch();
    sketch.insert(5);
    const out = new ByteWriter();
    packSketch(sketch, out);
    const payload = out.take();
    const one = intake.open(TENANT);
    const metric = metricIn(1);
    const handles = (['gauge', 'count', 'distribution'] as const).map((kind) => one.series({ metric, kind, tags: [] }));
    expect(one.series({ metric, kind: 'reading', tags: [] })).toBe(handles[0]);
    expect(one.series({ metric, kind: 'rate', tags: [] })).toBe(handles[1]);
    for (const handle of handles.slice(0, 2)) one.point(handle, nowMs, 2);
    one.sketch(handles[2], nowMs, payload);
    expect(await bench.play(one.send())).toMatchObject({ outcome: 'acked', acceptedPoints: 3 });
    const values = (await stored(bench)).map(({ series, value }) => [series, value]);
    const expected = (['gauge', 'count'] as const).map((kind) => [idOf({ metric, kind, tags: [] }), 2]);
    expect(values).toEqual([...expected, [idOf({ metric, kind: 'distribution', tags: [] }), Uint8Array.from(payload)]]);
  });

  test('requests keep their good points and count the others by reason', async () => {
    const { bench, intake, session } = await started();
    const nowMs = bench.acceptClock.nowMs();
    const one = intake.open(TENANT);
    const good = one.series(gauge(0));
    const count = one.series({ ...gauge(0), kind: 'count' });
    const distribution = one.series({ ...gauge(0), kind: 'distribution' });
    const nameless = one.series({ metric: '', kind: 'gauge', tags: [] });
    expect([good, nameless].map((handle) => one.isRefused(handle))).toEqual([false, true]);
    one.point(good, nowMs, Number.POSITIVE_INFINITY);
    one.point(good, nowMs + 1, Number.NaN);
    one.point(count, nowMs, Number.NEGATIVE_INFINITY);
    one.point(nameless, nowMs, 1);
    one.point(nameless, nowMs, 2);
    one.point(good, nowMs + 11 * 60_000, 1);
    one.point(good, nowMs - 8 * DAY_MS, 1);
    one.point(good, Number.NaN, 1);
    one.point(distribution, nowMs, 1);
    one.sketch(good, nowMs, Uint8Array.of(1));
    one.sketch(distribution, nowMs, Uint8Array.of(1));
    one.reject('protocol', 'field', 'limit', 7);
    const result = await bench.play(one.send());
    expect(result).toMatchObject({ outcome: 'acked', acceptedPoints: 1 });
    const counted = [
      ['protocol', 7],
      ['kind_mismatch', 2],
      ['sketch_invalid', 1],
      ['value_nan', 1],
      ['value_infinite', 1],
      ['metric_empty', 2],
      ['timestamp_ahead', 1],
      ['timestamp_behind', 2],
    ];
    expect(reasons(result)).toEqual(counted);
    expect(session?.statusFor(TENANT).rejectedPoints).toEqual(Object.fromEntries(counted));
    expect(Object.values(session?.statusFor(TENANT).clientNames ?? {})).toEqual(['HTTP requests']);
    expect(session?.statusFor('another').clientNames).toEqual({});
    expect(await stored(bench)).toHaveLength(1);
    const bad = intake.open(TENANT);
    bad.point(bad.series({ metric: '', kind: 'gauge', tags: [] }), nowMs, 1);
    expect(await bench.play(bad.send())).toMatchObject({ outcome: 'refused', acceptedPoints: 0 });
    expect(await bench.play(intake.open(TENANT).send())).toMatchObject({ outcome: 'acked', acceptedPoints: 0 });
  });

  test('requests are acknowledged only when every partition has them, and must be retried otherwise', async () => {
    const { bench, intake } = await started();
    bench.full.add('points/1');
    const sent = request(bench, intake, [gauge(0), gauge(1)]).send();
    const result = await bench.play(sent, 1000);
    expect(result).toMatchObject({ outcome: 'retry', acceptedPoints: 0, retryAfterMs: 1000 });
    expect(reasons(result)).toEqual([['log_full', 0]]);
    bench.full.clear();
    // Lanes that were full take requests without a key again once they have stored marks for 10 s.
    await bench.advance(12_000);
    const again = await bench.play(request(bench, intake, [gauge(0), gauge(1)]).send());
    expect(again).toMatchObject({ outcome: 'acked', acceptedPoints: 2 });
  });

  test('large requests are sent in several batches, and answered as one', async () => {
    const { bench, intake } = await started({ batchPoints: 10, requestPoints: 100 });
    const one = intake.open(TENANT);
    const handles = [one.series(gauge(0)), one.series(gauge(1))];
    const nowMs = bench.acceptClock.nowMs();
    for (let i = 0; i < 95; i++) one.point(handles[i % 2], nowMs - i, i);
    expect(await bench.play(one.send())).toMatchObject({ outcome: 'acked', acceptedPoints: 95 });
    const points = await stored(bench);
    expect(points.map(({ value }) => value).sort((a, b) => Number(a) - Number(b))).toEqual([...Array(95).keys()]);
    expect(new Set(points.map(({ sequence }) => sequence)).size).toBe(10);
    const large = intake.open(TENANT);
    for (let i = 0; i < 101; i++) large.point(handles[0], nowMs, i);
    const result = await bench.play(large.send());
    expect([result.outcome, reasons(result)]).toEqual(['refused', [['request_too_large', 101]]]);
  });
});

describe('bounds', () => {
  test('no more batches than the window are unsettled, and the next is sent when one is settled', async () => {
    const { bench, intake, session } = await started({ gatherMs: 0 });
    const window = session?.limits.window ?? 0;
    bench.unreachable.add('points/0');
    const sent: Promise<RequestResult>[] = [];
    for (let i = 0; i < window + 3; i++) {
      sent.push(request(bench, intake, [gauge(0)], i).send());
      await bench.advance(1);
    }
    bench.unreachable.clear();
    const results = await bench.play(Promise.all(sent));
    expect(results.every(({ outcome }) => outcome === 'acked')).toBe(true);
    const points = await stored(bench);
    expect(points.map(({ value }) => value)).toEqual([...Array(window + 3).keys()]);
    expect(new Set(points.map(({ sequence }) => sequence)).size).toBeGreaterThan(window);
    expect(Math.max(...points.map(({ sequence, floor }) => sequence - floor))).toBe(window - 1);
  });

  test('bytes without an answer are bounded, per tenant and in total', async () => {
    const { bench, intake } = await started({ pendingBytesPerTenant: 100, pendingBytes: 150 });
    const four = Array.from({ length: 4 }, (_, i) => gauge(0, `n:${i}`));
    const first = request(bench, intake, four).send();
    expect(reasons(await request(bench, intake, four).send())).toEqual([['tenant_pending', 0]]);
    const other = intake.open('other');
    for (let i = 0; i < 4; i++) other.point(other.series(gauge(0)), bench.acceptClock.nowMs(), 1);
    expect(reasons(await other.send())).toEqual([['requests_pending', 0]]);
    expect(await bench.play(first)).toMatchObject({ outcome: 'acked' });
    expect(intake.pendingBytes).toBe(0);
    const large = await request(bench, intake, [...four, gauge(1)]).send();
    expect([large.outcome, reasons(large)]).toEqual(['refused', [['request_too_large', 5]]]);
  });

  test('new series of a request are bounded, and a retry finds the first ones known', async () => {
    const { bench, intake } = await started({ newSeries: 3 });
    const eight = Array.from({ length: 8 }, (_, i) => gauge(i % PARTITIONS, `n:${i}`));
    const tooMany = expect.objectContaining({
      code: 'unavailable',
      message:
        'newSeries: too many new series in one request (limit: requests.newSeries, 3); retry, the first ones are known now',
      detail: { reason: 'series_new', field: 'newSeries', limit: 3 },
    });
    for (let i = 0; i < 2; i++) expect(() => request(bench, intake, eight)).toThrow(tooMany);
    expect(await bench.play(request(bench, intake, eight).send())).toMatchObject({ outcome: 'acked' });
    expect(await bench.play(request(bench, intake, eight).send())).toMatchObject({ acceptedPoints: 8 });
    expect(await stored(bench)).toHaveLength(16);
  });

  test('series that a request names are bounded, known or not', async () => {
    const { bench, intake } = await started({ namedSeries: 4 });
    const five = Array.from({ length: 5 }, (_, i) => gauge(0, `n:${i}`));
    for (let i = 0; i < 2; i++) {
      expect(() => request(bench, intake, five)).toThrow(
        expect.objectContaining({
          code: 'invalid_argument',
          detail: { reason: 'request_too_large', field: 'namedSeries', limit: 4 },
        }),
      );
    }
    expect(await bench.play(request(bench, intake, five.slice(0, 4)).send())).toMatchObject({ acceptedPoints: 4 });
  });

  test('known series are bounded: further ones are refused until the table starts again', async () => {
    const { bench, intake } = await started({ seriesPerTenant: 3, startOverMs: 60_000 });
    const many = (from: number) => [0, 1].map((i) => gauge(0, `n:${from + i}`));
    expect(await bench.play(request(bench, intake, many(0)).send())).toMatchObject({ outcome: 'acked' });
    const result = await bench.play(request(bench, intake, many(2)).send());
    expect([result.outcome, reasons(result)]).toEqual(['acked', [['request_series', 1]]]);
    await bench.advance(60_000);
    const before = intake.open(TENANT).scope;
    expect(await bench.play(request(bench, intake, many(2)).send())).toMatchObject({ acceptedPoints: 2 });
    expect(intake.open(TENANT).scope).toBe(before);
    expect(await stored(bench)).toHaveLength(5);
  });

  test('a series is named again before its days expire, where points are kept for a while', async () => {
    const limits = { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS, keptMs: 36 * HOUR_MS };
    const { bench, session } = await started({}, { limits });
    let laterMs = 0;
    const clock = {
      wallMs: () => bench.clock.wallMs(),
      monotonicMs: () => bench.clock.monotonicMs() + laterMs,
      setTimer: (delayMs: number, task: () => void) => bench.clock.setTimer(delayMs, task),
    };
    const intake = new RequestIntake({
      session: () => session,
      clock,
      random: bench.world.random,
      limits: { idleMs: DAY_MS },
    });
    const send = async () => {
      const { scope } = intake.open(TENANT);
      laterMs += 11 * HOUR_MS;
      expect(await bench.play(request(bench, intake, [gauge(0)]).send())).toMatchObject({ acceptedPoints: 1 });
      return scope;
    };
    const first = await send();
    expect([await send(), await send(), await send()].map((scope) => scope === first)).toEqual([true, true, true]);
    expect(await send()).not.toBe(first);
    expect(await bench.named(0)).toEqual([idOf(gauge(0)), idOf(gauge(0))]);
  });

  test('a series is named with each of its days until it is for a new one, since old days expire sooner', async () => {
    const { bench, intake, session } = await started();
    const send = async (ageMs: number) => {
      const one = intake.open(TENANT);
      one.point(one.series(gauge(0)), bench.acceptClock.nowMs() - ageMs, 1);
      expect(await bench.play(one.send())).toMatchObject({ acceptedPoints: 1 });
      return (await bench.named(0)).length;
    };
    expect(await send(6 * DAY_MS)).toBe(1);
    expect(session?.budgets.unsent.size).toBe(0);
    expect([await send(5 * DAY_MS), await send(0), await send(2 * DAY_MS)]).toEqual([2, 3, 3]);
    expect(session?.budgets.unsent.size).toBe(0);
  });

  test('definitions of a tenant are bounded, and released when the tenant is idle', async () => {
    const { bench, intake, session } = await started({ idleMs: 1000 });
    expect(await bench.play(request(bench, intake, [gauge(0)]).send())).toMatchObject({ outcome: 'acked' });
    const quota = session?.openQuota(TENANT);
    const bytes = session?.limits.definitionBytesPerTenant ?? 0;
    expect(quota?.offer(bytes)?.reason).toBe('tenant_definitions');
    await bench.advance(61_000);
    intake.open('other');
    expect(quota?.offer(bytes)).toBeUndefined();
    const refused = await bench.play(request(bench, intake, [gauge(0)]).send());
    expect([refused.outcome, reasons(refused)]).toEqual(['refused', [['tenant_definitions', 1]]]);
    quota?.release();
    expect(await bench.play(request(bench, intake, [gauge(0)]).send())).toMatchObject({ outcome: 'acked' });
  });

  test('new series over budget are refused until it has room again, and known ones are not', async () => {
    const known = gauge(0, 'known:1');
    const { bench, intake, session } = await started(
      {},
      { knownSeries: async (_partition, _tenant, ids) => ids.map((id) => toHex(id) === idOf(known)) },
    );
    const budget = { term: 1, tenant: TENANT, metric: known.metric, limit: 1 };
    await bench.decide({ $case: 'budget', value: { ...budget, over: true } });
    const isExceeded = () => session?.budgets.isExceeded({ tenant: TENANT, metric: known.metric }) === true;
    await bench.until(isExceeded);
    const both = [known, gauge(0, 'new:1')];
    const result = await bench.play(request(bench, intake, both).send());
    expect([result.acceptedPoints, reasons(result)]).toEqual([1, [['series_over_budget', 1]]]);
    await bench.decide({ $case: 'budget', value: { ...budget, over: false } });
    await bench.until(() => !isExceeded());
    expect(await bench.play(request(bench, intake, both).send())).toMatchObject({ acceptedPoints: 2, rejections: [] });
    // The lane may have defined the refused one as no series.
    expect((await stored(bench)).map(({ series }) => series)).toEqual([idOf(known), idOf(known), idOf(both[1])]);
  });

  test('no metric is stated of refused series, nor by users while their tenant is over its budget', async () => {
    const known = gauge(0, 'known:1');
    const { bench, intake, session } = await started(
      {},
      { knownSeries: async (_partition, _tenant, ids) => ids.map((id) => toHex(id) === idOf(known)) },
    );
    const budget = { term: 1, tenant: TENANT, metric: '', limit: 1, over: true };
    await bench.decide({ $case: 'budget', value: budget });
    await bench.until(() => session?.budgets.isExceeded({ tenant: TENANT, metric: '' }) === true);
    const fresh = gauge(1, 'new:1');
    for (let i = 0; i < 2; i++) await bench.play(request(bench, intake, [known, fresh]).send());
    expect([known, fresh].map(({ metric }) => session?.metrics.hasSeries(TENANT, metric))).toEqual([true, false]);
    const refused = {
      code: 'resource_exhausted',
      detail: { reason: 'series_over_budget', limit: 'budgets.tenantSeries, 1 series' },
    };
    await expect(bench.play(intake.state(TENANT, fresh.metric, { unit: 'byte' }))).rejects.toMatchObject(refused);
    await bench.play(intake.state(TENANT, known.metric, { unit: 'byte' }));
    await bench.decide({ $case: 'budget', value: { ...budget, over: false } });
    await bench.until(() => session?.budgets.isExceeded({ tenant: TENANT, metric: '' }) === false);
    await bench.play(intake.state(TENANT, fresh.metric, { unit: 'byte' }));
  });

  test('series whose points are all refused count towards the budget, until the table starts again', async () => {
    const { bench, intake } = await started({ startOverMs: 1000 }, { budgets: { tenantSeries: 2, metricSeries: 9 } });
    const send = (tag: string, timeMs: number) => {
      const one = intake.open(TENANT);
      one.point(one.series(gauge(0, tag)), timeMs, 1);
      return bench.play(one.send());
    };
    for (const tag of ['old:1', 'old:2']) expect(reasons(await send(tag, 0))).toEqual([['timestamp_behind', 1]]);
    const over = await send('new:1', bench.acceptClock.nowMs());
    expect([over.outcome, reasons(over)]).toEqual(['refused', [['series_over_budget', 1]]]);
    await bench.advance(1100);
    expect(await send('new:1', bench.acceptClock.nowMs())).toMatchObject({ outcome: 'acked' });
  });

  test('a request must be retried while its budget cannot be checked, and the retry checks it again', async () => {
    let isUnreachable = true;
    const { bench, intake, session } = await started(
      {},
      {
        knownSeries: async (_partition, _tenant, ids) => {
          if (isUnreachable) throw new TidemarkError('unavailable', 'unreachable');
          return ids.map(() => false);
        },
      },
    );
    await bench.decide({ $case: 'budget', value: { term: 1, tenant: TENANT, metric: '', limit: 1, over: true } });
    await bench.until(() => session?.budgets.isExceeded({ tenant: TENANT, metric: 'm' }) === true);
    const result = await bench.play(request(bench, intake, [gauge(0)]).send());
    expect([result.outcome, reasons(result)]).toEqual(['retry', [['budget_unknown', 0]]]);
    isUnreachable = false;
    expect(await bench.play(request(bench, intake, [gauge(0)]).send())).toMatchObject({ outcome: 'refused' });
  });
});

describe('data of a tenant', () => {
  test('data is sent under a new client session after a change of the intake session or the map', async () => {
    const { bench, intake, session, replace } = await started();
    const first = intake.open(TENANT);
    expect(await bench.play(request(bench, intake, [gauge(0)]).send())).toMatchObject({ outcome: 'acked' });
    const map = { epoch: 2, partitions: PARTITIONS, slots: packSlots(evenMap(PARTITIONS, 2)) };
    await bench.decide({ $case: 'map', value: { term: 1, expectedEpoch: 1, map } });
    await bench.until(() => session?.maps.current.epoch === 2);
    const second = intake.open(TENANT);
    expect(second.scope).not.toBe(first.scope);
    // A request that was opened before the map changed is sent by the old map.
    first.point(first.series(gauge(0)), bench.acceptClock.nowMs(), 2);
    second.point(second.series(gauge(0)), bench.acceptClock.nowMs(), 3);
    const results = await bench.play(Promise.all([first.send(), second.send()]));
    expect(results.map(({ outcome }) => outcome)).toEqual(['acked', 'acked']);
    const next = await bench.session();
    await bench.until(() => next.isReady);
    replace(next);
    expect(await bench.play(request(bench, intake, [gauge(0)], 4).send())).toMatchObject({ outcome: 'acked' });
    const points = await stored(bench);
    expect(points.map(({ value }) => value).sort()).toEqual([1, 2, 3, 4]);
    expect(new Set(points.map(({ client }) => client)).size).toBe(3);
    replace(undefined);
    expect(() => intake.open(TENANT)).toThrow(/no open session/);
  });

  test('series are published in `tags` once a day, and for the next day before it begins', async () => {
    const { bench, intake } = await started({}, {}, 120_000);
    const series = Array.from({ length: 20 }, (_, i) => gauge(0, `n:${i}`));
    for (let i = 0; i < 3; i++) await bench.play(request(bench, intake, series).send());
    await bench.advance(1000);
    const today = await bench.tags(0);
    await bench.advance(90_000);
    const before = await bench.tags(0);
    // One record of the series, one of what is stated of its metric.
    expect([today, before > today]).toEqual([2, true]);
    await bench.advance(60_000);
    await bench.play(request(bench, intake, series).send());
    expect(await bench.tags(0)).toBe(before);
  });
});

describe('a log that is full for one partition', () => {
  test('retries of a request without a key do not store its other shares again and again', async () => {
    const { bench, intake } = await started();
    bench.full.add('points/1');
    for (let i = 0; i < 8; i++) {
      const result = await bench.play(request(bench, intake, [gauge(0), gauge(1)], i).send(), 20_000);
      expect([result.outcome, reasons(result)]).toEqual(['retry', [['log_full', 0]]]);
      await bench.advance(result.retryAfterMs);
    }
    // The first one found out. Later ones ask once in 10 s.
    expect(await stored(bench)).toHaveLength(1);
  });

  test('appends that wait for others are repeated', async () => {
    const { bench, intake } = await started();
    bench.full.add('points/1');
    bench.fullError = new TidemarkError('resource_exhausted', '33000000 bytes wait already', { busy: true });
    const sent = request(bench, intake, [gauge(1)]).send();
    await bench.advance(300);
    bench.full.clear();
    expect((await bench.play(sent, 5000)).outcome).toBe('acked');
  });
});
