import { describe, expect, test } from '@jest/globals';
import type { AnswerSeries } from './api/api-types.ts';
import { toCsv } from './csv.ts';
import { bridgeSeconds, NO_TABLE, type TableOptions, tableOf } from './series-table.ts';

function series(metric: string, tags: string[], points: [number, number | null][], expression = `avg:${metric}{*}`) {
  return {
    metric,
    expression,
    scope: '*',
    tags,
    intervalMs: 1_000,
    points,
    completeSteps: points.length,
    unit: undefined,
  } satisfies AnswerSeries;
}

/** The table of an answer that is complete far beyond its end. */
function complete(all: readonly AnswerSeries[], options?: TableOptions) {
  return tableOf({ series: all, completeThroughMs: 1e9 }, options);
}

describe('a table of series', () => {
  test('it has the times of all series, and a missing step is null, not zero', () => {
    const table = complete([
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
    const table = complete(
      [1, 9, 5, 7].map((value) => series('a', [`v:${value}`], [[1_000, value]])),
      { limit: 2 },
    );
    expect(table.lines.map(({ label }) => label)).toEqual(['v:9', 'v:7']);
    expect(table.total).toBe(4);
  });

  test('values have the unit of their metric, unless they are computed from it', () => {
    const scaleOf = (expression: string) => complete([series('system.mem.used', [], [[0, 2]], expression)]).lines[0];
    expect(scaleOf('avg:system.mem.used{a-b:c} by {host}.rollup(max, 60)').values).toEqual([2 * 1_048_576]);
    expect(scaleOf('diff(avg:system.mem.used{*})').values).toEqual([2]);
    expect(scaleOf('avg:system.mem.used{*} / avg:b{*}').values).toEqual([2]);
    expect(scaleOf('count:system.mem.used{*}').unit.name).toBe('none');
  });

  test('an empty answer is an empty table', () => {
    expect(tableOf({ series: [], completeThroughMs: 7 })).toEqual({ ...NO_TABLE, incompleteFrom: 7 });
  });

  test('a stated unit stands, for any name and expression', () => {
    const unitOf = (name: string, per = '') => {
      const one = { ...series('system.mem.used', [], [[0, 2]], 'abs(avg:system.mem.used{*})'), unit: { name, per } };
      const [line] = complete([one]).lines;
      return [line.unit.name, line.values[0]];
    };
    expect(unitOf('kibibyte')).toEqual(['bytes', 2_048]);
    expect(unitOf('byte', 'second')).toEqual(['bytes/s', 2]);
    expect(unitOf('millisecond')).toEqual(['seconds', 0.002]);
    expect(unitOf('request', 'second')).toEqual(['of request/s', 2]);
    expect(unitOf('request', 'minute')).toEqual(['of request/minute', 2]);
    const symbols = [
      'MiB',
      'KiB/s',
      'bytes/s',
      'bytes',
      'By',
      'MB',
      'ms',
      's',
      '%',
      'Seconds',
      'is',
      's/s',
      'operations/s',
    ];
    expect(symbols.map((symbol) => unitOf(symbol))).toEqual([
      ...[
        ['bytes', 2 * 1_048_576],
        ['bytes/s', 2_048],
        ['bytes/s', 2],
        ['bytes', 2],
        ['bytes', 2],
      ],
      ...[
        ['bytes', 2_000_000],
        ['seconds', 0.002],
        ['seconds', 2],
        ['percent', 2],
        ['of Seconds', 2],
      ],
      ...[
        ['of is', 2],
        ['of s/s', 2],
        ['of operations/s', 2],
      ],
    ]);
    for (const name of ['constructor', '__proto__', 'toStrings']) expect(unitOf(name)).toEqual([`of ${name}`, 2]);
    expect(unitOf('a\u0000'.repeat(20))).toEqual([`of ${'a\\u0000'.repeat(4).slice(0, 23)}…`, 2]);
  });

  test('names with control characters are escaped', () => {
    expect(complete([series('a', ['h:x\ny'], [[0, 1]])]).lines[0].label).toBe('h:x\\ny');
  });
});

describe('the incomplete part of a table', () => {
  test('it begins with the first incomplete step, or at the completeness of the answer', () => {
    const points: [number, number][] = [
      [9_000, 1],
      [10_000, 2],
      [11_000, 3],
    ];
    const one = { ...series('a', [], points), completeSteps: 1 };
    expect(tableOf({ series: [one], completeThroughMs: 10_400 }).incompleteFrom).toBe(10_000);
    expect(tableOf({ series: [series('a', [], points)], completeThroughMs: 14_400 }).incompleteFrom).toBe(14_400);
    expect(tableOf({ series: [one], completeThroughMs: undefined }).incompleteFrom).toBe('unknown');
  });

  test('the figures of a line, and the choice of the highest lines, are of complete steps', () => {
    const points: [number, number][] = [
      [0, 1],
      [1_000, 3],
      [2_000, 0],
    ];
    const one = { ...series('a', ['h:1'], points), completeSteps: 2 };
    const other = {
      ...series(
        'a',
        ['h:2'],
        [
          [0, 1.5],
          [2_000, 99],
        ],
      ),
      completeSteps: 1,
    };
    const { lines } = tableOf({ series: [one, other], completeThroughMs: 2_000 }, { limit: 1 });
    expect(lines.map(({ label, summary }) => [label, summary])).toEqual([['h:1', { min: 1, avg: 2, max: 3, last: 3 }]]);
    const { summary } = tableOf({ series: [{ ...one, completeSteps: 0 }], completeThroughMs: undefined }).lines[0];
    expect(summary).toEqual({ min: null, avg: null, max: null, last: null });
  });

  test('an average of huge values does not overflow', () => {
    expect(
      complete([
        series(
          'a',
          [],
          [
            [0, 1.5e308],
            [1_000, 1.5e308],
          ],
        ),
      ]).lines[0].summary.avg,
    ).toBe(1.5e308);
  });

  test('CSV says for each step whether it is complete', () => {
    const table = complete([
      series(
        'a',
        ['k:x "y", z'],
        [
          [0, 1.5],
          [1_000, -2],
        ],
      ),
      { ...series('b', ['=1'], [[1_000, 4]]), completeSteps: 0 },
    ]);
    expect(toCsv(table)).toBe(
      `time,complete,"k:x ""y"", z",'=1\r\n1970-01-01T00:00:00.000Z,true,1.5,\r\n1970-01-01T00:00:01.000Z,false,-2,4\r\n`,
    );
  });
});

test('a line bridges the usual distance of its values, and shows one missing value as a gap', () => {
  const timesS = Array.from({ length: 60 }, (_, i) => i);
  const everyTen = timesS.map((t) => (t % 10 === 0 ? 1 : null));
  expect(bridgeSeconds(timesS, { values: everyTen, intervalMs: 1_000 })).toBe(15);
  expect(bridgeSeconds(timesS, { values: timesS, intervalMs: 1_000 })).toBe(1.5);
  expect(bridgeSeconds([], { values: [], intervalMs: 5_000 })).toBe(7.5);
});
