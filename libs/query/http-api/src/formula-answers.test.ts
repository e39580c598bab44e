import { describe, expect, test } from '@jest/globals';
import type { FormulaAnswer, FormulaResult } from '@tidemark/query';
import { scalarAnswer, timeseriesAnswer } from './formula-answers.ts';
import { jsonPieces } from './json-stream.ts';

const { NaN: NONE } = Number;

function written(answer: unknown): unknown {
  return JSON.parse([...jsonPieces(answer)].join(''));
}

function result(
  startsMs: readonly number[],
  series: Record<string, readonly number[]>,
  completeSteps = 0,
): FormulaResult {
  return {
    expression: 'text',
    startsMs,
    stepMs: startsMs.length > 1 ? startsMs[1] - startsMs[0] : 60,
    completeSteps,
    unit: undefined,
    series: Object.entries(series).map(([tags, values]) => ({
      tags: tags === '' ? [] : tags.split(','),
      values: Float64Array.from(values),
    })),
  };
}

function answerOf(results: readonly FormulaResult[], more: Partial<FormulaAnswer> = {}): FormulaAnswer {
  return {
    ...{ results, errors: [], gaps: [], notes: ['a note'], pointsRead: 0, seriesRead: 0 },
    ...{ coveredFromMs: 0, coveredToMs: 60, completeThroughMs: 45 },
    ...more,
  };
}

describe('an answer of series', () => {
  test('has all of them over the same times, with null for no value', () => {
    const answer = answerOf([
      result([0, 20, 40], { 'host:a': [1, NONE, Number.POSITIVE_INFINITY], 'host:b': [4, 5, 6] }, 2),
      result([0, 30], { '': [7, 8] }, 1),
    ]);
    expect(written(timeseriesAnswer(answer))).toEqual({
      data: {
        type: 'timeseries_response',
        attributes: {
          times: [0, 20, 30, 40],
          series: [
            { group_tags: ['host:a'], query_index: 0, unit: [null, null], interval: 20, complete_length: 2 },
            { group_tags: ['host:b'], query_index: 0, unit: [null, null], interval: 20, complete_length: 2 },
            { group_tags: [], query_index: 1, unit: [null, null], interval: 30, complete_length: 1 },
          ],
          values: [
            [1, null, null, null],
            [4, 5, null, 6],
            [7, null, 8, null],
          ],
        },
      },
      meta: {
        ...{ complete_through_ms: 45, is_complete: false, covered_from_ms: 0, covered_to_ms: 60 },
        ...{ errors: [], gaps: [], notes: ['a note'] },
      },
    });
  });

  test('has the units that are known', () => {
    const of = (name: string, per: '' | 'second') => ({ ...result([0], { '': [1] }), unit: { name, per } });
    const answer = answerOf([of('byte', ''), of('byte', 'second'), result([0], { '': [1] })]);
    const { data } = timeseriesAnswer(answer) as { data: { attributes: { series: { unit: unknown }[] } } };
    const expected = [
      [{ name: 'byte' }, null],
      [{ name: 'byte' }, { name: 'second' }],
      [null, null],
    ];
    expect(data.attributes.series.map(({ unit }) => unit)).toEqual(expected);
    const request = { queries: [], formulas: [{ formula: 'a' }, { formula: 'b' }, { formula: 'c' }] };
    const scalar = scalarAnswer(request, answer) as {
      data: { attributes: { columns: { meta: { unit: unknown } }[] } };
    };
    expect(scalar.data.attributes.columns.map(({ meta }) => meta.unit)).toEqual(expected);
  });

  test('a missing part is in the text that clients read, and nothing is complete', () => {
    const errors = [{ part: 'points/1', code: 'unavailable', message: 'down' }];
    expect(timeseriesAnswer(answerOf([], { errors, completeThroughMs: undefined }))).toMatchObject({
      errors: 'points/1: unavailable: down',
      meta: { complete_through_ms: null, is_complete: false, errors: ['points/1: unavailable: down'] },
    });
  });
});

describe('an answer of single values', () => {
  const formulas = (...limited: boolean[]) =>
    limited.map((isLimited, i) => ({
      formula: `f${i}`,
      ...(isLimited ? { limit: { count: 2, order: 'desc' as const } } : {}),
    }));
  const columns = (results: readonly FormulaResult[], ...limited: boolean[]) => {
    const { data } = scalarAnswer(
      { queries: [], formulas: formulas(...limited) },
      answerOf(results, { completeThroughMs: 60 }),
    );
    const { attributes } = data as { attributes: { columns: { name: string; type: string; values: unknown[] }[] } };
    return attributes.columns.map(({ name, type, values }) => [name, type, ...values]);
  };

  test('has a row for each group of any formula', () => {
    const [one, other] = [
      { 'env:prod,host:a': [1], 'env:dev,host:b': [2] },
      { 'env:dev,host:b': [5], 'env:x,host:c': [6] },
    ];
    expect(columns([result([0], one), result([0], other)], false, false)).toEqual([
      ['env', 'group', ['prod'], ['dev'], ['x']],
      ['host', 'group', ['a'], ['b'], ['c']],
      ['f0', 'number', 1, 2, null],
      ['f1', 'number', null, 5, 6],
    ]);
  });

  test('a group may lack a key that others have, and a tag may have colons or no value', () => {
    expect(columns([result([0], { 'url:http://x,canary': [1] }), result([0], { '': [9] })], false, false)).toEqual([
      ['url', 'group', ['http://x'], []],
      ['canary', 'group', [''], []],
      ['f0', 'number', 1, null],
      ['f1', 'number', null, 9],
    ]);
  });

  test('a limit keeps its rows, in its order, and the rows of others are the same', () => {
    const [first, all] = [
      { 'h:c': [3], 'h:b': [2] },
      { 'h:a': [10], 'h:b': [20], 'h:c': [30] },
    ];
    expect(columns([result([0], all), result([0], first)], false, true)).toEqual([
      ['h', 'group', ['c'], ['b']],
      ['f0', 'number', 30, 20],
      ['f1', 'number', 3, 2],
    ]);
    expect(columns([result([0], first), result([0], { 'h:b': [1], 'h:a': [0] })], true, true)).toEqual([
      ['h', 'group', ['b']],
      ['f0', 'number', 2],
      ['f1', 'number', 1],
    ]);
  });

  test('series of equal tags stay apart, and queries without formulas have their names', () => {
    const twice: FormulaResult = {
      ...result([0], {}),
      series: [1, 2].map((v) => ({ tags: ['h:a'], values: Float64Array.of(v) })),
    };
    const request = { queries: [{ name: 'q', query: 'avg:m{*} by {h}' }], formulas: [] };
    expect(scalarAnswer(request, answerOf([twice], { completeThroughMs: 60 }))).toMatchObject({
      data: {
        type: 'scalar_response',
        attributes: {
          columns: [
            { name: 'h', type: 'group', values: [['a'], ['a']] },
            { name: 'q', type: 'number', values: [1, 2], meta: { unit: [null, null] } },
          ],
        },
      },
      meta: { is_complete: true },
    });
  });
});
