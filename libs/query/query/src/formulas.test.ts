import { describe, expect, test } from '@jest/globals';
import { evenMap, KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import type { FormulaAnswer, FormulaRequest } from './formula-request.ts';
import { asAnswered } from './query-reader.ts';
import { FROM_MS, gauge, LATENESS_MS, setUp, TO_MS } from './testing/one-partition.ts';

/** Partition 0 before, partition 1 now: every metric is requested from both. */
const TWO_OWNERS = () => [evenMap(1, 1), { epoch: 2, partitions: 2, slots: evenMap(1).slots.map(() => 1) }];

const STEP_MS = 20_000;
const POINTS = [
  ...[1, 2, 3].map((value, i) => gauge(FROM_MS + i * STEP_MS, value)),
  ...[10, 20, 30].map((value, i) => gauge(FROM_MS + i * STEP_MS, value, { tags: ['host:b'] })),
  ...[4, 0, 6].map((value, i) =>
    gauge(FROM_MS + i * STEP_MS, value, { metric: 'jobs', kind: KIND.count, tags: ['host:a', 'env:prod'] }),
  ),
];

const LOAD = { name: 'load', query: 'avg:load{*} by {host}' };
const JOBS = { name: 'jobs', query: 'sum:jobs{*}' };

function asked(request: Partial<FormulaRequest>): FormulaRequest {
  return { queries: [LOAD, JOBS], formulas: [], fromMs: FROM_MS, toMs: TO_MS, intervalMs: STEP_MS, ...request };
}

function shown({ results }: FormulaAnswer) {
  return results.map(({ series }) => series.map(({ tags, values }) => [tags.join(), ...values]));
}

describe('formulas over named queries', () => {
  const { service } = setUp(POINTS);
  const answer = (request: Partial<FormulaRequest>) => service.runFormulas('default', asked(request), asAnswered);

  test('are joined by their tags as expressions of a query are', async () => {
    const { query, formula } = {
      query: 'avg:load{*} by {host}.rollup(20) * 100 / sum:jobs{*}.rollup(20)',
      formula: 'load * 100 / jobs',
    };
    const reply = await answer({ formulas: [{ formula }, { formula: 'jobs' }] });
    expect(shown(reply)).toEqual([
      [
        ['host:a', 25, Number.NaN, 50],
        ['host:b', 250, Number.NaN, 500],
      ],
      [['', 4, 0, 6]],
    ]);
    expect(reply.results[0]).toMatchObject({
      expression: query,
      startsMs: [FROM_MS, FROM_MS + STEP_MS, FROM_MS + 2 * STEP_MS],
      stepMs: STEP_MS,
      completeSteps: 2,
    });
    expect(reply.completeThroughMs).toBe(TO_MS - LATENESS_MS);
    const { series } = await service.run('default', { query, fromMs: FROM_MS, toMs: TO_MS }, asAnswered);
    expect(series.map(({ tagSet, values }) => [tagSet.join(), ...values])).toEqual([
      ['host:a', 25, 50],
      ['host:b', 250, 500],
    ]);
  });

  test('without a formula each query is a result', async () => {
    expect(shown(await answer({}))).toEqual([
      [
        ['host:a', 1, 2, 3],
        ['host:b', 10, 20, 30],
      ],
      [['', 4, 0, 6]],
    ]);
  });

  test('a limit keeps the first series', async () => {
    const limited = (count: number, order: 'asc' | 'desc') =>
      answer({ formulas: [{ formula: 'load', limit: { count, order } }] });
    expect(shown(await limited(1, 'desc'))).toEqual([[['host:b', 10, 20, 30]]]);
    expect(shown(await limited(1, 'asc'))).toEqual([[['host:a', 1, 2, 3]]]);
    expect(shown(await limited(5, 'desc'))[0].map(([tags]) => tags)).toEqual(['host:b', 'host:a']);
  });

  test('the interval is the step of metrics that have none', async () => {
    const { results, notes } = await answer({
      queries: [LOAD, { name: 'own', query: 'avg:load{*}.rollup(max, 60)' }],
      intervalMs: 9_500,
    });
    expect(results.map(({ stepMs }) => stepMs)).toEqual([10_000, 60_000]);
    expect(notes).toContain('interval: 9500 ms becomes 10 s, whole seconds');
  });

  test('an interval of too many steps is replaced by the automatic step, with a note', async () => {
    const toMs = FROM_MS + 30 * 86_400_000;
    const { results, notes } = await answer({ intervalMs: 1000, toMs });
    expect(results[0].stepMs).toBe(14_400_000);
    expect(notes).toContainEqual(expect.stringMatching(/^interval: 1000 ms gives 2592001 steps .*steps 11000/));
  });

  test.each([
    [{ queries: [{ name: 'a b', query: 'avg:load{*}' }] }, 'queries.0.name'],
    [{ queries: [LOAD, LOAD] }, 'queries.1.name'],
    [{ queries: [LOAD, { name: 'b', query: 'avg:load{' }] }, 'queries.1.query'],
    [{ queries: [{ name: 'b', query: 'avg:load{*}, max:load{*}' }] }, 'queries.0.query'],
    [{ formulas: [{ formula: 'load' }, { formula: 'load +' }] }, 'formulas.1.formula'],
    [
      { queries: [LOAD, { name: 'b', query: 'avg:load{*} by {env}' }], formulas: [{ formula: 'load + b' }] },
      'formulas.0',
    ],
    [{ queries: [{ name: 'b', query: 'avg:load{*} by {env} + sum:load{*} by {host}' }] }, 'queries.0'],
  ] as const)('%j is refused with its field', async (request, field) => {
    await expect(answer(request)).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: { field },
      message: expect.stringMatching(new RegExp(`^${field.replaceAll('.', '\\.')}[:,]`)),
    });
  });

  test('that have too many metrics in all are refused', async () => {
    const formulas = Array.from({ length: 101 }, () => ({ formula: 'load' }));
    await expect(answer({ formulas })).rejects.toMatchObject({
      message: 'formulas: 101 metrics in all (limit: leaves 100)',
    });
  });

  test('that show more values than one query may have are refused', async () => {
    const { service: small } = setUp(POINTS, { limits: { values: 20 } });
    const many = (count: number) =>
      small.runFormulas(
        'default',
        asked({ queries: [LOAD], formulas: Array(count).fill({ formula: 'load' }) }),
        asAnswered,
      );
    expect((await many(3)).results).toHaveLength(3);
    await expect(many(4)).rejects.toMatchObject({
      code: 'resource_exhausted',
      message:
        '8 series of formulas over 3 steps are 24 values (limit: query.values 20); ask for less, or raise query.values',
    });
  });

  test.each(['points/1', 'tags/1'])('when %s is unreachable it is named, and nothing is complete', async (part) => {
    const { stores, service: broken } = setUp(POINTS, { maps: TWO_OWNERS });
    stores.watermarksMs.set(1, TO_MS);
    stores.failing.set(part, new TidemarkError('unavailable', 'down'));
    const reply = await broken.runFormulas('default', asked({ queries: [LOAD] }), asAnswered);
    expect(reply.errors).toEqual([{ part, code: 'unavailable', message: 'down' }]);
    expect(reply.completeThroughMs).toBeUndefined();
    expect(reply.results.map(({ completeSteps, series }) => [completeSteps, series.length])).toEqual([[0, 2]]);
  });
});

describe('queries that become one value', () => {
  const { service, stores } = setUp(POINTS);
  const answer = (request: Partial<FormulaRequest>) => service.runFormulas('default', asked(request), asAnswered);
  const load = { ...LOAD, reduction: 'max' } as const;
  const jobs = { ...JOBS, reduction: 'sum' } as const;

  test('are reduced before formulas are applied', async () => {
    const reply = await answer({ queries: [load, jobs], formulas: [{ formula: 'load / jobs' }] });
    expect(shown(reply)).toEqual([
      [
        ['host:a', 0.3],
        ['host:b', 3],
      ],
    ]);
    expect(reply).toMatchObject({ coveredFromMs: FROM_MS, coveredToMs: TO_MS });
    expect(reply.results[0]).toMatchObject({ startsMs: [FROM_MS], completeSteps: 0 });
  });

  test('are complete when the last of their steps is, which may end after the range', async () => {
    const request = { queries: [load], fromMs: FROM_MS + 1, toMs: TO_MS - 5 };
    stores.watermarksMs.set(0, TO_MS + LATENESS_MS - 1);
    const early = await answer(request);
    expect([early.coveredFromMs, early.coveredToMs, early.results[0].completeSteps]).toEqual([FROM_MS, TO_MS, 0]);
    expect(early.notes).toContainEqual(
      `values are of whole steps, from ${new Date(FROM_MS).toISOString()} to ${new Date(TO_MS).toISOString()}`,
    );
    stores.watermarksMs.set(0, TO_MS + LATENESS_MS);
    expect((await answer(request)).results[0].completeSteps).toBe(1);
  });

  test('are sorted by their value', async () => {
    const limit = { count: 2, order: 'desc' } as const;
    const reply = await answer({ queries: [load], formulas: [{ formula: '-load', limit }] });
    expect(shown(reply)[0]).toEqual([
      ['host:a', -3],
      ['host:b', -30],
    ]);
  });

  test('may have steps of different lengths', async () => {
    const long = { name: 'long', query: 'sum:jobs{*}.rollup(sum, 60)', reduction: 'last' } as const;
    const reply = await answer({ queries: [load, long], formulas: [{ formula: 'load + long' }] });
    expect(shown(reply)[0].map(([, value]) => value)).toEqual([9, 36]);
  });
});
