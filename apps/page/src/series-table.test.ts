import { describe, expect, test } from '@jest/globals';
import type { AnswerSeries } from './api/api-types.ts';
import { toCsv } from './csv.ts';
import { bridgeSeconds, incompleteFromMs, labelOfSeries, tableOf } from './series-table.ts';

function series(metric: string, tags: string[], points: [number, number | null][], expression = `avg:${metric}{*}`) {
  return { metric, expression, scope: '*', tags, intervalMs: 1_000, points } satisfies AnswerSeries;
}

describe('a table of series', () => {
  test('it has the times of all series, and a missing step is null, not zero', () => {
    const table = tableOf([
      series(
        'a',
        ['h:1'],
        [
          [1_000, 1],
          [3_000, 3],
        ],
      ),
      series(
        'a',
        ['h:2'],
        [
          [2_000, 5],
          [3_000, null],
        ],
      ),
    ]);
    expect(table.timesS).toEqual([1, 2, 3]);
    expect(table.lines.map(({ values }) => values)).toEqual([
      [1, null, 3],
      [null, 5, null],
    ]);
    expect(table.lines[0].summary).toEqual({ min: 1, avg: 2, max: 3, last: 3 });
    expect(table.lines[1].summary.last).toBe(5);
  });

  test('a limit keeps the series with the highest averages, in the order of the answer', () => {
    const table = tableOf(
      [1, 9, 5, 7].map((value) => series('a', [`v:${value}`], [[1_000, value]])),
      labelOfSeries,
      2,
    );
    expect(table.lines.map(({ label }) => label)).toEqual(['v:9', 'v:7']);
    expect(table.total).toBe(4);
  });

  test('values have the unit of their metric, unless they are computed from it', () => {
    const scaleOf = (expression: string) => tableOf([series('system.mem.used', [], [[0, 2]], expression)]).lines[0];
    expect(scaleOf('avg:system.mem.used{a-b:c} by {host}.rollup(max, 60)').values).toEqual([2 * 1_048_576]);
    expect(scaleOf('diff(avg:system.mem.used{*})').values).toEqual([2]);
    expect(scaleOf('avg:system.mem.used{*} / avg:b{*}').values).toEqual([2]);
    expect(scaleOf('count:system.mem.used{*}').unit.name).toBe('none');
  });

  test('an empty answer is an empty table', () => {
    expect(tableOf([])).toEqual({ timesS: [], lines: [], total: 0, intervalMs: 1_000 });
  });
});

describe('the incomplete part of a table', () => {
  test('it begins with the first step that is not wholly complete', () => {
    expect(incompleteFromMs(12_345, 1_000)).toBe(12_000);
    expect(incompleteFromMs(10_000, 5_000)).toBe(10_000);
    expect(incompleteFromMs(undefined, 1_000)).toBeUndefined();
  });

  test('CSV says for each step whether it is complete', () => {
    const table = tableOf([
      series(
        'a',
        ['k:x "y", z'],
        [
          [0, 1.5],
          [1_000, -2],
        ],
      ),
      series('b', ['=1'], [[1_000, 4]]),
    ]);
    expect(toCsv(table, 1_500)).toBe(
      `time,complete,"k:x ""y"", z",'=1\r\n1970-01-01T00:00:00.000Z,true,1.5,\r\n1970-01-01T00:00:01.000Z,false,-2,4\r\n`,
    );
  });
});

test('a line bridges the usual distance of its points, and shows a longer distance as a gap', () => {
  const timesS = Array.from({ length: 60 }, (_, i) => i);
  const everyTen = timesS.map((t) => (t % 10 === 0 ? 1 : null));
  expect(bridgeSeconds(timesS, everyTen, 1_000)).toBe(25);
  expect(bridgeSeconds(timesS, timesS, 1_000)).toBe(2.5);
  expect(bridgeSeconds([], [], 5_000)).toBe(7.5);
});
