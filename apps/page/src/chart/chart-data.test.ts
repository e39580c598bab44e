import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AnswerSeries } from '../api/api-types.ts';
import { tableOf } from '../series-table.ts';
import { chartLines, isolatedRows } from './chart-data.ts';
import { DEFAULT_STYLE } from './chart-style.ts';

const NONE = (): boolean => false;

/** A series of steps of one second; the index is the second. */
function series(values: readonly (number | undefined)[], completeSteps: number, tag = 'h:1'): AnswerSeries {
  const points = values.flatMap((value, s) => (value === undefined ? [] : [[s * 1_000, value] as const]));
  const before = values.slice(0, completeSteps).filter((value) => value !== undefined).length;
  const expression = 'sum:a{*}';
  return {
    metric: 'a',
    expression,
    scope: '*',
    tags: [tag],
    intervalMs: 1_000,
    points,
    completeSteps: before,
    unit: undefined,
  };
}

function drawn(all: readonly AnswerSeries[], completeThroughMs: number | undefined, style = DEFAULT_STYLE) {
  const table = tableOf({ series: all, completeThroughMs });
  return { table, lines: chartLines(table, style, NONE) };
}

describe('the two parts of a line', () => {
  test('left of the first incomplete step nothing depends on a value that may still change', () => {
    const { table, lines } = drawn([series([10, 10, 10, 3, 1], 3)], 3_400);
    expect(table.incompleteFrom).toBe(3_000);
    expect(lines[0].complete).toEqual([10, 10, 10, 10, null]);
    expect(lines[0].incomplete).toEqual([null, null, null, 3, 1]);
  });

  test('a line whose completeness is unknown is incomplete as a whole', () => {
    const { table, lines } = drawn([series([1, 2], 0)], undefined);
    expect(table.incompleteFrom).toBe('unknown');
    expect(lines[0].complete).toEqual([null, null]);
    expect(lines[0].incomplete).toEqual([1, 2]);
  });

  test('a complete line is drawn to the end of its last step only where completeness ends there', () => {
    expect(drawn([series([5, 5], 2)], 2_000).lines[0].complete).toEqual([5, 5, 5]);
    expect(drawn([series([5, 5], 2)], 9_000).lines[0].complete).toEqual([5, 5]);
  });

  test('no value is lost or moved, for any missing steps', () => {
    const values = fc.array(fc.option(fc.integer({ min: -5, max: 5 }), { nil: undefined }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(values, fc.nat(12), (steps, completeSteps) => {
        const { table, lines } = drawn([series(steps, completeSteps)], completeSteps * 1_000);
        for (const [row, timeS] of table.timesS.entries()) {
          const own = timeS < completeSteps ? lines[0].complete[row] : lines[0].incomplete[row];
          expect(own ?? undefined).toBe(steps[timeS]);
        }
      }),
    );
  });
});

describe('gaps', () => {
  test('a missing step of a lone series is a gap, and a value between two gaps is a dot', () => {
    const { table, lines } = drawn([series([1, 2, undefined, 4, undefined, undefined, 7, 8], 8)], 8_000);
    expect(table.timesS).toEqual([0, 1, 2, 3, 4, 6, 7, 8]);
    expect(lines[0].complete).toEqual([1, 2, null, 4, null, 7, 8, 8]);
    expect(isolatedRows(lines[0].complete)).toEqual([3]);
  });

  test('the rows of another, denser series are not gaps of a sparse one, and its own missing value is one', () => {
    const dense = series(new Array(41).fill(1), 41);
    const sparse = series(
      Array.from({ length: 41 }, (_, s) => (s % 5 === 0 && s !== 25 ? s : undefined)),
      41,
      'h:2',
    );
    const [, line] = drawn([dense, sparse], 41_000).lines;
    expect(line.complete.slice(0, 6)).toEqual([0, undefined, undefined, undefined, undefined, 5]);
    expect(line.complete.slice(20, 31)).toEqual([20, ...new Array(9).fill(null), 30]);
  });
});

describe('styles', () => {
  test('stacked lines add up in each part, positive and negative values apart', () => {
    const stacked = { drawing: 'stacked', scale: 'log' } as const;
    const all = [series([1, 2, 3], 2), series([10, -20, 30], 2, 'h:2'), series([5, undefined, 5], 2, 'h:3')];
    const { lines } = drawn(all, 2_000, stacked);
    expect(lines.map(({ complete }) => complete.slice(0, 2))).toEqual([
      [1, 2],
      [11, -20],
      [16, null],
    ]);
    // The end of the last complete step, where nothing is known of the next one.
    expect(lines.map(({ complete }) => complete[2])).toEqual([2, -20, null]);
    expect(lines.map(({ incomplete }) => incomplete[2])).toEqual([3, 33, 38]);
  });

  test('a hidden line does not count in a stack', () => {
    const table = tableOf({ series: [series([1], 1), series([10], 1, 'h:2')], completeThroughMs: 5_000 });
    const lines = chartLines(table, { drawing: 'bars', scale: 'linear' }, (key) => key === table.lines[0].key);
    expect(lines[1].complete).toEqual([10]);
  });

  test('a logarithmic scale leaves out what it cannot show', () => {
    const { lines } = drawn([series([1, 0, -1, 100], 4)], 4_000, { drawing: 'lines', scale: 'log' });
    expect(lines[0].complete.slice(0, 4)).toEqual([1, null, null, 100]);
  });
});
