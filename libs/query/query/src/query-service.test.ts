import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { DAY_MS, evenMap, KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { asAnswered } from './query-reader.ts';
import { FROM_MS, gauge, LATENESS_MS, setUp, TO_MS, TWO_OWNERS } from './testing/one-partition.ts';

describe('an answer', () => {
  test('an answer has the expressions of the query, their aggregators and the keys of its groups', async () => {
    const { run } = setUp([gauge(FROM_MS, 1)]);
    const reply = await run('p99:d{*} by {b,a}, sum:load{*} by {a} / 2, avg:load{*}');
    expect(reply.groupBy).toEqual(['b', 'a']);
    expect(reply.expressions).toEqual([
      { text: 'p99:d{*} by {b,a}', aggregator: 'p99' },
      { text: 'sum:load{*} by {a} / 2', aggregator: undefined },
      { text: 'avg:load{*}', aggregator: 'avg' },
    ]);
    const texts = new Set(reply.expressions.map(({ text }) => text));
    expect(reply.series.every(({ expression }) => texts.has(expression))).toBe(true);
  });
});

describe('complete_through', () => {
  test('complete_through is the watermark minus the lateness bound, also beyond the range', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 1)]);
    stores.watermarksMs.set(0, TO_MS + 100_000);
    expect((await run('avg:load{*}')).completeThroughMs).toBe(TO_MS + 100_000 - LATENESS_MS);
  });

  test('complete_through is not later than the known maps, because points of a newer map are elsewhere', async () => {
    let mapsThroughMs = TO_MS - 5000;
    const { run } = setUp([gauge(FROM_MS, 1)], { mapsThroughMs: () => mapsThroughMs });
    expect((await run('avg:load{*}')).completeThroughMs).toBe(TO_MS - 5000 - LATENESS_MS);
    mapsThroughMs = TO_MS + 5000;
    expect((await run('avg:load{*}')).completeThroughMs).toBe(TO_MS - LATENESS_MS);
    mapsThroughMs = Number.NEGATIVE_INFINITY;
    expect((await run('avg:load{*}')).completeThroughMs).toBeUndefined();
  });

  test('complete_through is unknown before the first watermark', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 1)]);
    stores.watermarksMs.set(0, undefined);
    const reply = await run('avg:load{*}');
    expect(reply.series).toHaveLength(1);
    expect(reply.completeThroughMs).toBeUndefined();
  });

  test('complete_through is the minimum over all partitions that owned the metric, of all leaves', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 1), gauge(FROM_MS + 1000, 2, { partition: 1 })], {
      maps: TWO_OWNERS,
    });
    stores.watermarksMs.set(1, TO_MS - 20_000);
    const reply = await run('avg:load{*}.rollup(60)');
    expect(reply.completeThroughMs).toBe(TO_MS - 20_000 - LATENESS_MS);
    expect(reply.notes.join()).toContain('series of load moved between partitions');
  });

  test('a tag store that lags lowers complete_through, and omits no series that it knew', async () => {
    const points = [
      gauge(FROM_MS + 10_000, 1, { tagsOffset: 5 }),
      gauge(FROM_MS + 30_000, 2, { tagsOffset: 9, tags: ['host:b'] }),
    ];
    const { stores, run } = setUp(points);
    stores.tagsOffsets.set(0, 9);
    const lagging = await run('sum:load{*} by {host}');
    expect(lagging.series.map((series) => series.tagSet)).toEqual([['host:a']]);
    expect(lagging.completeThroughMs).toBe(FROM_MS + 30_000 - LATENESS_MS);
    stores.tagsOffsets.set(0, 10);
    const caughtUp = await run('sum:load{*} by {host}');
    expect(caughtUp.series).toHaveLength(2);
    expect(caughtUp.completeThroughMs).toBe(TO_MS - LATENESS_MS);
  });

  test('an answer without series is only as complete as its partition', async () => {
    const { stores, run } = setUp([gauge(FROM_MS + 10_000, 1, { tagsOffset: 5 })]);
    stores.tagsOffsets.set(0, 5);
    const reply = await run('sum:load{*}');
    expect(reply.series).toEqual([]);
    expect(reply.completeThroughMs).toBe(FROM_MS + 10_000 - LATENESS_MS);
    // The last one looks for a name that was meant.
    expect(stores.requests).toEqual(['tags/0', 'points/0', 'tags/0']);
  });

  test.each(['points/1', 'tags/1'])(
    'when %s is unreachable, the others answer, nothing is complete, and the part is named',
    async (part) => {
      const points = [gauge(FROM_MS, 1), gauge(FROM_MS, 2, { partition: 1, tags: ['host:b'] })];
      const { stores, run } = setUp(points, { maps: TWO_OWNERS });
      stores.watermarksMs.set(1, TO_MS);
      stores.failing.set(part, new TidemarkError('unavailable', 'the store is starting'));
      const reply = await run('sum:load{*} by {host}');
      expect(reply.errors).toEqual([{ part, code: 'unavailable', message: 'the store is starting' }]);
      expect(reply.completeThroughMs).toBeUndefined();
      expect(reply.series.map((series) => series.tagSet)).toEqual([['host:a']]);
    },
  );

  test('a query without any reachable part is unavailable, and a partition without a server is a missing part', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 1)]);
    stores.failing.set('tags/0', new TidemarkError('unavailable', 'down'));
    await expect(run('sum:load{*}')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/tags\/0: down/),
    });
    stores.failing.clear();
    stores.pointStore = () => {
      throw new TidemarkError('unavailable', 'no process serves it');
    };
    expect((await run('sum:load{*}')).errors).toEqual([
      { part: 'points/0', code: 'unavailable', message: 'no process serves it' },
    ]);
    await expect(setUp([], { maps: () => [] }).run('sum:load{*}')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('gaps are shown once, even if several leaves report them', async () => {
    const { stores, run, service } = setUp([gauge(FROM_MS, 1)]);
    stores.gaps.set('points/0', [{ offset: 7, reason: 'skipped' }]);
    stores.gaps.set('tags/0', [{ offset: 7, reason: 'bit rot' }]);
    const tags = { topic: 'tags', partition: 0, offset: 7, reason: 'bit rot', records: 1 };
    const points = { topic: 'points', partition: 0, offset: 7, reason: 'skipped', records: 1 };
    expect((await run('sum:load{*} / avg:load{*}')).gaps).toEqual([points, tags]);
    // Where no series is known, a skipped record of tags may be why.
    expect((await run('sum:no.such{*}')).gaps).toContainEqual(tags);
    const range = { fromMs: FROM_MS, limit: 0 };
    expect((await service.metrics('default', { ...range, contains: '' })).gaps).toEqual([tags]);
    expect((await service.tags('default', { ...range, toMs: FROM_MS + 1, metric: 'load' })).gaps).toEqual([tags]);
  });
});

describe('answers', () => {
  test('steps are whole, aligned, and chosen for the range', async () => {
    const { service } = setUp([gauge(FROM_MS + 100, 5), gauge(FROM_MS + 31_000, 7)]);
    const query = 'avg:load{*}';
    const reply = await service.run('default', { query, fromMs: FROM_MS + 500, toMs: FROM_MS + 3_600_000 }, asAnswered);
    // An hour in at most 300 steps: 15 s. The point before from_ms belongs to the first step.
    const firstMs = FROM_MS - (FROM_MS % 15_000);
    expect(reply.series[0]).toMatchObject({
      metric: 'load',
      scope: '*',
      expression: 'avg:load{*}',
      intervalMs: 15_000,
      // The first value holds for 25 s, the last one for 2.5 times the 30.9 s between the two.
      timesMs: Array.from({ length: 8 }, (_, i) => firstMs + i * 15_000),
      values: [5, 5, expect.closeTo((100 * 5 + 9000 * 7) / 9100, 10), 7, 7, 7, 7, 7],
    });
    expect(reply.notes).toEqual(['steps of 15 s, chosen for the range; use .rollup(seconds) for other steps']);
  });

  test('a step is complete when it ends at or before the completeness of the answer', async () => {
    const endsAt = FROM_MS + 60_000 - (FROM_MS % 60_000);
    const points = [0, 1].map((step) => gauge(endsAt - 60_000 + step * 60_000, step));
    const completeSteps = async (watermarkMs: number | undefined) => {
      const { run, stores } = setUp(points);
      if (watermarkMs === undefined) stores.watermarksMs.delete(0);
      else stores.watermarksMs.set(0, watermarkMs);
      const reply = await run('avg:load{*}.rollup(60)');
      return [reply.series[0].completeSteps, reply.series[0].timesMs.length];
    };
    expect(await completeSteps(endsAt + LATENESS_MS)).toEqual([1, 2]);
    expect(await completeSteps(endsAt + LATENESS_MS - 1)).toEqual([0, 2]);
    expect(await completeSteps(endsAt + LATENESS_MS + 59_999)).toEqual([1, 2]);
    expect(await completeSteps(endsAt + LATENESS_MS + 60_000)).toEqual([2, 2]);
    expect(await completeSteps(undefined)).toEqual([0, 2]);
  });

  test('the automatic step is a multiple of the reporting interval, and a shorter one is noted', async () => {
    const points = Array.from({ length: 40 }, (_, i) => gauge(FROM_MS + i * 15_000, i));
    const { stores, service } = setUp(points);
    stores.findings.set(0, { intervalMs: 15_020, usualIntervalMs: 14_980 });
    const range = { fromMs: FROM_MS, toMs: FROM_MS + 600_000 };
    const reply = await service.run('default', { query: 'avg:load{*}', ...range }, asAnswered);
    expect(reply.series[0].intervalMs).toBe(15_000);
    expect(reply.notes).toEqual([
      'steps of 15 s, chosen for the range and for points every 15 s; use .rollup(seconds) for other steps',
    ]);
    const short = await service.run('default', { query: 'avg:load{*}.rollup(5)', ...range }, asAnswered);
    expect(short.notes).toEqual([
      'points of load are 15 s apart, more than steps of 5 s: amounts are spread evenly, and a value holds until the next',
    ]);
    // What is counted by timestamps is not spread, and the percentile of a part is not known.
    for (const query of ['avg:load{*}.rollup(count, 5)', 'sum:load{*}.rollup(points, 5)']) {
      expect((await service.run('default', { query, ...range }, asAnswered)).notes).toEqual([]);
    }
    // A range shorter than the interval keeps the step of its length.
    const minute = await service.run(
      'default',
      { query: 'avg:load{*}', fromMs: FROM_MS, toMs: FROM_MS + 10_000 },
      asAnswered,
    );
    expect(minute.series[0].intervalMs).toBe(1000);
  });

  test('completeness ends at the oldest last reading of a counter, and restarts and dips are noted', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 1, { kind: KIND.counter })]);
    stores.findings.set(0, { knownThroughMs: FROM_MS + 12_000, restarts: 4, dips: 2, pointsRead: 20 });
    const reply = await run('sum:load{*}.rollup(60)');
    expect(reply.completeThroughMs).toBe(FROM_MS + 12_000);
    expect(reply.notes).toEqual([
      'load went down by less than an eighth 2 times, which adds nothing: a corrected value, or two senders of one series',
      'load restarted 4 times within 20 points, which looks like two senders of one series: give each a tag of its own',
      'load has series that match {*}, and no points, or no two readings of a counter in this range as far as it is complete: that is not a value of 0',
    ]);
    stores.findings.set(0, { knownThroughMs: TO_MS + 60_000, restarts: 1, pointsRead: 20 });
    const other = await run('sum:load{*}.rollup(60)');
    expect([other.completeThroughMs, other.notes]).toEqual([
      TO_MS - LATENESS_MS,
      [expect.stringMatching(/no two readings/)],
    ]);
  });

  test('points that were deleted because their retention has ended are noted, if the range has any', async () => {
    const { stores, run } = setUp([gauge(TO_MS - 5000, 1)]);
    stores.findings.set(0, { deletedBeforeMs: FROM_MS + 10_000 });
    const [note] = (await run('avg:load{*}.rollup(10)')).notes;
    expect(note).toBe(
      `points of load before ${new Date(FROM_MS + 10_000).toISOString()} were deleted (store.retentionMs)`,
    );
    stores.findings.set(0, { deletedBeforeMs: FROM_MS - 60_000 });
    expect((await run('avg:load{*}.rollup(10)')).notes).toEqual([]);
  });

  test('series that were deleted before their points are noted, also where nothing is left to find', async () => {
    const { stores, run } = setUp([]);
    const noteOf = (timeMs: number) =>
      `points of load before ${new Date(timeMs).toISOString()} were deleted (store.retentionMs)`;
    stores.seriesDeletedBeforeMs.set(0, FROM_MS + 20_000);
    expect((await run('avg:load{*}.rollup(10)')).notes).toContain(noteOf(FROM_MS + 20_000));
    stores.findings.set(0, { deletedBeforeMs: FROM_MS + 10_000 });
    expect((await run('avg:load{*}.rollup(10)')).notes).toContain(noteOf(FROM_MS + 20_000));
    stores.findings.set(0, { deletedBeforeMs: FROM_MS + 30_000 });
    expect((await run('avg:load{*}.rollup(10)')).notes).toContain(noteOf(FROM_MS + 30_000));
    stores.findings.clear();
    stores.seriesDeletedBeforeMs.set(0, FROM_MS - 60_000);
    expect((await run('avg:load{*}.rollup(10)')).notes.filter((note) => note.includes('deleted'))).toEqual([]);
  });

  test('a fill takes values from before the range, within its limit', async () => {
    const { run } = setUp([gauge(FROM_MS - 200_000, 5)]);
    const filled = await run('avg:load{*}.rollup(10).fill(last)');
    expect(filled.series[0].timesMs[0]).toBe(FROM_MS - (FROM_MS % 10_000));
    expect(new Set(filled.series[0].values)).toEqual(new Set([5]));
    expect((await run('avg:load{*}.rollup(10).fill(last, 100)')).series).toEqual([]);
  });

  test('what the scope of a series names can be asked for again, and means the same', async () => {
    const tags = [['k:*'], ['k:x,y'], ['k:a b'], ['k:[::1]:9100'], ['k:N/A', 'j:1'], ['j:2']];
    const { run } = setUp(tags.map((own, i) => gauge(FROM_MS, 2 ** i, { tags: own })));
    const { series } = await run('sum:load{*} by {k}.rollup(60)');
    expect(series).toHaveLength(5);
    for (const { scope, values } of series) {
      const again = await run(`sum:load{${scope}} by {k}.rollup(60)`);
      expect(again.series.map((one) => [one.scope, one.values])).toEqual([[scope, values]]);
    }
    expect((await run('sum:load{k:N/A,j:2} by {k}.rollup(60)')).series[0].scope).toBe('k:N/A,j:2');
    expect((await run('sum:load{k IN (N/A, "*")}.rollup(60)')).series[0].values).toEqual([49]);
  });

  test('a day of a calendar is complete at its own end, not that of the longest day', async () => {
    // In Berlin, 29 March 2026 has 23 hours and 28 March has 24.
    const dayMs = Date.UTC(2026, 2, 28, 23);
    const { clock, service, stores } = setUp([gauge(dayMs - 3_600_000, 1), gauge(dayMs, 2)]);
    clock.advance(dayMs + DAY_MS - clock.wallMs());
    stores.watermarksMs.set(0, dayMs + 23 * 3_600_000 + LATENESS_MS);
    const query = "avg:load{*}.rollup(avg, daily, 'Europe/Berlin')";
    const reply = await service.run('default', { query, fromMs: dayMs - 1, toMs: dayMs + 1 }, asAnswered);
    expect(reply.series[0]).toMatchObject({ values: [1, 2], intervalMs: DAY_MS, completeSteps: 2 });
  });

  test('a metric of two kinds gives frames of each, and omits a kind that cannot answer', async () => {
    const writer = new ByteWriter();
    const sketch = new DDSketch();
    for (let i = 1; i <= 100; i++) sketch.insert(i);
    packSketch(sketch, writer);
    const points = [
      gauge(FROM_MS, 4),
      gauge(FROM_MS, 6, { kind: KIND.count }),
      gauge(FROM_MS, 0, { kind: KIND.distribution, value: Uint8Array.from(writer.view()) }),
    ];
    const { run } = setUp(points);
    const sums = await run('sum:load{env:prod OR host:a} by {host}.rollup(60)');
    expect(sums.series.map(({ kind, values }) => [kind, values])).toEqual([
      [KIND.gauge, [4]],
      [KIND.count, [6]],
      [KIND.count, [5050]],
    ]);
    expect(sums.series[0].scope).toBe('host:a,env:prod OR host:a');
    const half = await run('p50:load{*}.rollup(60)');
    expect(half.series).toHaveLength(1);
    expect(Math.abs(half.series[0].values[0] - 50)).toBeLessThan(1);
    expect(half.notes.filter((note) => note.includes('are omitted'))).toHaveLength(2);
    // Of a sum the counts and the distributions have the same kind of values: the message has what is stored.
    await expect(run('sum:load{*} by {host}.rollup(60) / sum:load{*} by {host}.rollup(60)')).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(
        'two series of load with tags {host:a}: a gauge (class reading) and a count (class count)',
      ),
      detail: { field: 'kind', metric: 'load', tags: 'host:a', kinds: 'gauge,count' },
    });
    const { run: runTwo } = setUp(points.slice(1));
    await expect(runTwo('sum:load{*}.rollup(60) + sum:load{*}.rollup(60)')).rejects.toMatchObject({
      message: expect.stringContaining(
        'of load without tags: a count (class count) and a distribution (class distribution)',
      ),
    });
  });

  test('a ratio of sparse counts has gaps, and with default_zero only those of its denominator', async () => {
    const count = (metric: string, atS: number, value: number) =>
      gauge(FROM_MS + atS * 1000, value, { metric, kind: KIND.count });
    const points = [
      ...[0, 10, 20, 40].map((atS) => count('done', atS, 8)),
      count('failed', 10, 2),
      count('failed', 30, 1),
    ];
    const { run } = setUp(points);
    const ratioOf = async (failed: string) => {
      const { series } = await run(`100 * ${failed} / sum:done{*}.as_count().rollup(sum, 10)`);
      return series.map(({ timesMs, values }) => timesMs.map((timeMs, i) => [(timeMs - FROM_MS) / 1000, values[i]]));
    };
    const failed = 'sum:failed{*}.as_count().rollup(sum, 10)';
    expect(await ratioOf(failed)).toEqual([[[10, 25]]]);
    expect(await ratioOf(`default_zero(${failed})`)).toEqual([
      [
        [0, 0],
        [10, 25],
        [20, 0],
        [40, 0],
      ],
    ]);
  });

  test('a percentile in collapsed buckets has a note with the bounds that hold', async () => {
    const writer = new ByteWriter();
    const sketch = new DDSketch();
    for (let i = 0; i < 6000; i++) sketch.insert(1.03 ** (i - 3000));
    packSketch(sketch, writer);
    const value = Uint8Array.from(writer.view());
    const { run } = setUp([gauge(FROM_MS, 0, { kind: KIND.distribution, value })]);
    const [note] = (await run('p10:load{*}.rollup(60)')).notes;
    const [, low, high] = /^p10:load: 1 value is not within 1%.* bounds are (\S+) to (\S+)$/.exec(note) ?? [];
    expect(Number(low)).toBeLessThanOrEqual(1.03 ** (599 - 3000));
    expect(Number(high)).toBeGreaterThanOrEqual(1.03 ** (599 - 3000));
    expect((await run('p99:load{*}.rollup(60)')).notes).toEqual([]);
  });

  test('equal leaves are read once', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 4)]);
    const reply = await run('sum:load{*}.fill(zero) / sum:load{*}, max:load{*}');
    expect(reply.series).toHaveLength(2);
    expect(stores.requests).toEqual(['tags/0', 'tags/0', 'points/0 1', 'points/0 1']);
  });

  test('a large series set is sent once, and again when the store has evicted it', async () => {
    const points = Array.from({ length: 50 }, (_, i) => gauge(FROM_MS, i, { tags: [`host:${i}`] }));
    const { stores, run } = setUp(points, { limits: { seriesSetBytes: 800 } });
    for (let i = 0; i < 3; i++) {
      if (i === 2) stores.forgetSets();
      expect((await run('sum:load{*}.rollup(60)')).series[0].values).toEqual([1225]);
    }
    const asked = stores.requests.filter((request) => request.startsWith('points'));
    expect(asked).toEqual(['points/0 50', 'points/0 0', 'points/0 0', 'points/0 50']);
  });

  test('tenants see only their own data in series, descriptions and status', async () => {
    const { service } = setUp([gauge(FROM_MS, 4), gauge(FROM_MS, 5, { tenant: 'other', metric: 'secret' })]);
    const range = { fromMs: FROM_MS, toMs: TO_MS };
    expect((await service.run('default', { query: 'sum:secret{*}', ...range }, asAnswered)).series).toEqual([]);
    expect((await service.metrics('default', { contains: '', fromMs: 0, limit: 0 })).metrics).toEqual([
      { metric: 'load', classes: [1], series: 1, lastDayMs: 1_699_920_000_000, metadata: undefined },
    ]);
    const { keys } = await service.tags('default', { metric: 'load', ...range, limit: 0 });
    expect(keys).toEqual([{ key: 'host', values: 1, series: 1, top: [{ value: 'a', series: 1 }] }]);
    const status = await service.status('default');
    expect(status.points[0].clients.map((client) => client.tenant)).toEqual(['default']);
    expect(status).toMatchObject({ latenessMs: LATENESS_MS, mapEpoch: 1, errors: [], sessions: [] });
  });

  test('the status shows the parts that answer and names those that do not', async () => {
    const { stores, service } = setUp([], { maps: () => [evenMap(2)] });
    stores.failing.set('points/1', new TidemarkError('unavailable', 'restarting'));
    const status = await service.status('default');
    expect(status.points.map(({ partition }) => partition)).toEqual([0]);
    expect(status.tags.map(({ partition }) => partition)).toEqual([0, 1]);
    expect(status.errors).toEqual([{ part: 'points/1', code: 'unavailable', message: 'restarting' }]);
    // Covered by the tag store that was asked before; by none that does not answer.
    expect(status.points[0].coveredWatermarkMs).toBe(status.points[0].watermarkMs);
    stores.failing.set('tags/0', new TidemarkError('unavailable', 'restarting'));
    const uncovered = await service.status('default');
    expect(uncovered.points[0]).toMatchObject({ watermarkMs: TO_MS, coveredWatermarkMs: undefined });
  });
});

describe('limits', () => {
  const points = Array.from({ length: 20 }, (_, i) => gauge(FROM_MS + i, i, { tags: [`host:${i}`] }));

  test.each([
    ['series', { series: 19 }, 'avg:load{*}'],
    ['series', { series: 39 }, 'avg:load{*} / max:load{*}'],
    ['groups', { groups: 19 }, 'avg:load{*} by {host}'],
    ['values', { values: 20 * 60 - 1 }, 'avg:load{*} by {host}.rollup(1)'],
    ['points', { points: 19 }, 'avg:load{*}'],
    ['points', { points: 39 }, 'avg:load{*} / max:load{*}'],
  ])('%s: the query is refused by name', async (limit, limits, query) => {
    const { run } = setUp(points, { limits });
    await expect(run(query)).rejects.toMatchObject({
      ...{ code: 'resource_exhausted', message: expect.stringContaining(`, or raise query.${limit}`) },
      detail: { limit: `query.${limit}`, allowed: Object.values(limits)[0] },
    });
    const { run: enough } = setUp(points, { limits: { [limit]: Object.values(limits)[0] + 1 } });
    await expect(enough(query)).resolves.toBeDefined();
  });

  test.each([
    [
      'steps',
      { steps: 59 },
      'avg:load{*}.rollup(1)',
      'has 60 steps of 1 s (limit: query.steps 59); ask for a shorter range',
    ],
    [
      'steps',
      { steps: 61 },
      'median_3(avg:load{*}.rollup(1))',
      'has 62 steps of 1 s, 2 of them before the range (limit',
    ],
    ['steps', { steps: 99 }, 'moving_rollup(avg:load{*}.rollup(1), 3600)', 'has 3659 steps of 1 s, 3599 of them'],
    [
      'rangeMs',
      { rangeMs: 59_999 },
      'avg:load{*}',
      'a range of 0.001 days is too long (limit: query.rangeMs 59999); ask for',
    ],
  ])('%s: a query that is too long at any load is a wrong one', async (limit, limits, query, message) => {
    const { stores, run } = setUp(points, { limits });
    await expect(run(query)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(message),
      detail: { limit: `query.${limit}` },
    });
    expect(stores.requests).toEqual([]);
    const { run: enough } = setUp(points, { limits: { [limit]: Object.values(limits)[0] + 3600 } });
    await expect(enough(query)).resolves.toBeDefined();
  });

  test('memory is refused before the points are read', async () => {
    const { stores, run } = setUp(points, { limits: { values: 100 } });
    await expect(run('avg:load{*} by {host}.rollup(1)')).rejects.toMatchObject({
      detail: { limit: 'query.values', allowed: 100 },
    });
    expect(stores.requests).toEqual(['tags/0']);
  });

  test.each([
    [FROM_MS, FROM_MS, 'to_ms'],
    [-1, FROM_MS, 'from_ms'],
    [0.5, FROM_MS, 'from_ms'],
    [FROM_MS, 9e15, 'to_ms'],
    [Number.NaN, FROM_MS, 'from_ms'],
  ])('a range from %p to %p names %s', async (fromMs, toMs, field) => {
    const { service } = setUp([]);
    await expect(service.run('default', { query: 'avg:load{*}', fromMs, toMs }, asAnswered)).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: { field },
    });
  });

  test('the limit of running queries applies to each tenant separately', async () => {
    const { stores, service, run } = setUp(points, { limits: { concurrentQueries: 2 } });
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    stores.before = () => held;
    const running = [run('avg:load{*}'), run('avg:load{*}')];
    await expect(run('avg:load{*}')).rejects.toMatchObject({
      code: 'resource_exhausted',
      detail: { limit: 'query.concurrentQueries' },
    });
    const other = service.run('other', { query: 'avg:load{*}', fromMs: FROM_MS, toMs: TO_MS }, asAnswered);
    release();
    await Promise.all([...running, other]);
    await expect(run('avg:load{*}')).resolves.toBeDefined();
  });
});

describe('a second rollup', () => {
  // FROM_MS is 20 s into a minute. Every 10 s from 40 s before the minute that has it: 0, 1, 2, …
  const minuteMs = FROM_MS - 20_000;
  const points = Array.from({ length: 24 }, (_, i) => gauge(minuteMs - 60_000 + i * 10_000, i));
  const { service } = setUp(points);
  const values = async (query: string, fromMs: number, toMs: number) => {
    const { series } = await service.run('default', { query, fromMs, toMs }, asAnswered);
    return series.map(({ intervalMs, timesMs, values: of }) => [intervalMs, timesMs.map((ms) => ms - minuteMs), of]);
  };

  test('folds whole steps of the first in every range', async () => {
    const query = 'avg:load{*}.rollup(avg, 20).rollup(max, 60)';
    // The averages of 20 s in a minute are 0.5, 2.5, 4.5 and so on.
    expect(await values(query, minuteMs, minuteMs + 60_000)).toEqual([[60_000, [0], [10.5]]]);
    expect(await values(query, minuteMs + 35_000, minuteMs + 60_001)).toEqual([[60_000, [0, 60_000], [10.5, 16.5]]]);
    expect(await values('sum:load{*}.rollup(sum, 20).rollup(avg, 60)', minuteMs, minuteMs + 1)).toEqual([
      [60_000, [0], [17]],
    ]);
  });

  test('goes with functions that look back, and with shifts', async () => {
    const query = 'rollingavg_5(avg:load{*}.rollup(last, 20).rollup(sum, 60))';
    // 1 + 3 + 5, 7 + 9 + 11, 13 + 15 + 17: the steps before the range count.
    expect(await values(query, minuteMs + 60_000, minuteMs + 120_000)).toEqual([[60_000, [60_000], [27]]]);
    const shifted = 'timeshift(avg:load{*}.rollup(last, 20).rollup(sum, 60), -60)';
    expect(await values(shifted, minuteMs, minuteMs + 60_000)).toEqual([[60_000, [0], [9]]]);
    const both = 'avg:load{*}.rollup(last, 20).rollup(sum, 60) - avg:load{*}.rollup(sum, 60)';
    expect(await values(both, minuteMs, minuteMs + 60_000)).toEqual([[60_000, [0], [27 - 51]]]);
  });

  test('counts the steps that it reads', async () => {
    const query = 'avg:load{*}.rollup(last, 1).rollup(sum, 3600)';
    await expect(values(query, FROM_MS, FROM_MS + 12_000_000)).rejects.toMatchObject({
      message: expect.stringMatching(/has 14400 steps of 1 s .*steps 11000/),
    });
  });
});

test('template variables come with the request', async () => {
  const { service } = setUp([gauge(FROM_MS, 4), gauge(FROM_MS, 6, { tags: ['host:b'] })]);
  const asked = { query: 'avg:load{$host}.rollup(60)', fromMs: FROM_MS, toMs: TO_MS };
  const reply = await service.run('default', { ...asked, variables: { host: 'b' } }, asAnswered);
  expect(reply.series[0]).toMatchObject({ values: [6], expression: 'avg:load{host:b}.rollup(60)' });
  await expect(service.run('default', asked, asAnswered)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('"$host" without a value'),
  });
});

describe('an end before the answer', () => {
  test('cancelling stops the requests that run, and starts no others', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 1)]);
    const signals: (AbortSignal | undefined)[] = [];
    stores.before = (_, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const abort = new AbortController();
    const running = run('avg:load{*}, max:load{*}', abort.signal);
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
    expect(stores.requests).toEqual(['tags/0', 'tags/0']);
  });

  test('a query with a store that never answers ends at the time limit', async () => {
    const { stores, clock, run } = setUp([gauge(FROM_MS, 1)], { limits: { timeMs: 500 } });
    stores.before = (part) => (part === 'points/0' ? new Promise(() => {}) : undefined);
    const running = expect(run('avg:load{*}')).rejects.toMatchObject({
      code: 'deadline_exceeded',
      detail: { limit: 'query.timeMs', allowed: 500 },
    });
    clock.advance(500);
    await running;
  });

  test('a refusal of one leaf stops the others', async () => {
    const { stores, run } = setUp([gauge(FROM_MS, 1)], { limits: { concurrentRequests: 1 } });
    await expect(run('p50:load{*}, avg:load{*} by {host}')).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/percentiles need a distribution/),
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(stores.requests.filter((request) => request.startsWith('points')).length).toBeLessThanOrEqual(1);
  });

  test('a syntax error has its column, and no store is called', async () => {
    const { stores, run } = setUp([]);
    await expect(run('avg:load{*')).rejects.toMatchObject({ code: 'invalid_argument', detail: { field: 'query' } });
    expect(stores.requests).toEqual([]);
  });
});
