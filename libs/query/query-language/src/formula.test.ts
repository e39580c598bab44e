import { describe, expect, test } from '@jest/globals';
import { type Frame, type FrameSeries, startOf } from '@tidemark/fold';
import { KIND } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import {
  DEFAULT_QUERY_LIMITS,
  type Expression,
  evaluate,
  leafUses,
  parseFormula,
  parseQuery,
  printExpression,
  type Reduction,
} from './index.ts';

const queries = new Map<string, Expression>(
  [
    ['a', 'sum:m{env:prod} by {host}'],
    ['b', 'avg:n{*} + 1'],
    ['query1', 'max:n{*}'],
    ['top', 'min:n{*}'],
  ].map(([name, text]) => [name, parseQuery(text).expressions[0]]),
);

describe('a formula', () => {
  test.each([
    ['a', 'sum:m{env:prod} by {host}'],
    ['a / query1 * 100', 'sum:m{env:prod} by {host} / max:n{*} * 100'],
    ['2 * b', '2 * (avg:n{*} + 1)'],
    ["top(a, 5, 'max', 'desc') - -b", "top(sum:m{env:prod} by {host}, 5, 'max', 'desc') - -(avg:n{*} + 1)"],
    ['default_zero(top)', 'default_zero(min:n{*})'],
    ['week_before(a)', 'week_before(sum:m{env:prod} by {host})'],
    ['max(a) by {host}', 'max(sum:m{env:prod} by {host}) by {host}'],
  ])('%s is the query with the expressions in place of their names', (text, query) => {
    expect(parseFormula(text, queries)).toEqual(parseQuery(query).expressions[0]);
  });

  test.each([
    [
      '',
      /^formula, column 1: found the end of the query, expected the name of a query \(a, b, query1, top\), a function/,
    ],
    ['a /', /^formula, column 4/],
    ['a + c', /^formula, column 5: found "c", expected the name of a query/],
    ['a + query2', /did you mean query1\?$/],
    ['1 + 2', /^formula, column 1: found only constants, expected the name of a query/],
    ['avg:m{*}', /^formula, column 1: found "avg"/],
    ['a{*}', /^formula, column 2: found "{", expected an operator or the end of the formula$/],
    ['"a"', /^formula, column 1/],
    ['a, b', /^formula, column 2: found ","/],
    ['anomalies(a, 2)', /^formula, column 1: anomalies is a Datadog function that Tidemark does not have yet$/],
    ['top(a, 0)', /^formula, column 8: found "?0/],
  ])('%s is refused with the field', (text, message) => {
    expect(() => parseFormula(text, queries)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringMatching(message),
        detail: expect.objectContaining({ field: 'formula' }),
      }),
    );
  });

  test('the metrics of a query count as often as its name is used', () => {
    const limits = { ...DEFAULT_QUERY_LIMITS, leaves: 3 };
    expect(parseFormula('a + a + a', queries, limits)).toMatchObject({ type: 'binary' });
    expect(() => parseFormula('a + a + a + a', queries, limits)).toThrow(/at most 3 in all/);
    expect(() => parseFormula(`a + ${' '.repeat(20_000)} a`, queries)).toThrow(/^formula of 20\d\d\d characters/);
  });
});

describe('a reduction', () => {
  const frame = (values: readonly (readonly number[])[]): Frame => ({
    fromMs: 0,
    stepMs: 10_000,
    steps: values[0].length,
    series: values.map(
      (of, i): FrameSeries => ({ tags: [`host:${i}`], metric: 'm', kind: KIND.gauge, values: Float64Array.from(of) }),
    ),
  });
  const reduced = (method: Reduction['method'], name = 'a'): Map<string, Expression> => {
    const [operand] = parseQuery('sum:m{*} by {host}').expressions;
    return new Map([[name, { type: 'reduce', method, fromMs: 1000, toMs: 31_000, operand }]]);
  };

  test.each([
    ['mean', 2.5],
    ['sum', 5],
    ['min', 1],
    ['max', 4],
    ['last', 4],
    ['l2norm', Math.sqrt(17)],
    ['area', 50],
  ] as const)('%s is one value of the steps that have one', (method, value) => {
    const expression = parseFormula('a * 2', reduced(method));
    const values = [
      [1, Number.NaN, 4],
      [Number.NaN, Number.NaN, Number.NaN],
    ];
    const [result] = finishAtOnce(evaluate({ expressions: [expression] }, () => frame(values)));
    expect([startOf(result, 0), startOf(result, 1), result.steps]).toEqual([1000, 31_000, 1]);
    expect(result.series.map(({ values }) => [...values])).toEqual([[value * 2], [Number.NaN]]);
  });

  test('a shift around it shifts what is read, and a function that looks back has nothing to read', () => {
    const expression = parseFormula('ewma_3(week_before(a)) / a', reduced('sum'));
    const shape = () => ({ stepMs: 10_000, steps: 3, isCalendar: false });
    const uses = leafUses({ expressions: [expression] }, shape);
    expect(uses.map(({ view }) => view)).toEqual([
      { shifts: [{ type: 'seconds', seconds: -604_800 }], before: 0 },
      { shifts: [], before: 0 },
    ]);
    const values = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const [result] = finishAtOnce(evaluate({ expressions: [expression] }, () => frame(values), shape));
    expect(result.series.map((one) => [...one.values])).toEqual([[1], [1]]);
    expect(printExpression(expression)).toContain('sum of the range of (sum:m{*} by {host})');
  });

  test.each([
    'autosmooth(a)',
    'moving_rollup(a, 3600)',
    'trend_line(a)',
    'robust_trend(a)',
    'piecewise_constant(a)',
    'cumsum(a)',
    'diff(a)',
  ])('%s works on the one value', (formula) => {
    const query = { expressions: [parseFormula(formula, reduced('sum'))] };
    const [result] = finishAtOnce(evaluate(query, () => frame([[1, 2, 3]])));
    expect(result.steps).toBe(1);
    expect(result.series[0].values).toHaveLength(1);
  });
});
