import { describe, expect, test } from '@jest/globals';
import { tableOf } from '../series-table.ts';
import { hiddenAfter, nextOrder, sortedLegend } from './legend-order.ts';

/** Lines of steps of 1 s whose last step may still change. */
function linesOf(values: Readonly<Record<string, readonly number[]>>) {
  const series = Object.entries(values).map(([name, own]) => ({
    metric: 'm',
    expression: 'avg:m{*} by {h}',
    scope: '*',
    tags: [name],
    intervalMs: 1_000,
    points: own.map((value, s) => [s * 1_000, value] as const),
    completeSteps: Math.max(0, own.length - 1),
    unit: undefined,
  }));
  return tableOf({ series, completeThroughMs: 2_000 }).lines;
}

describe('the legend', () => {
  const lines = linesOf({ b: [1, 9, 0], a: [5, 5, 100], c: [7] });
  const order = (by: Parameters<typeof nextOrder>[1], isDescending: boolean) =>
    sortedLegend(lines, { by, isDescending }).map(({ line }) => line.label);

  test('is sorted by figures of complete steps; a line without one comes last', () => {
    expect(order('max', true)).toEqual(['b', 'a', 'c']);
    expect(order('min', true)).toEqual(['a', 'b', 'c']);
    expect(order('last', false)).toEqual(['a', 'b', 'c']);
    expect(order('label', false)).toEqual(['a', 'b', 'c']);
  });

  test('keeps the place of each line, which its colour depends on', () => {
    expect(sortedLegend(lines, { by: 'min', isDescending: true }).map(({ at }) => at)).toEqual([1, 0, 2]);
  });

  test('a second click on a column turns the order', () => {
    expect(nextOrder({ by: 'avg', isDescending: true }, 'avg')).toEqual({ by: 'avg', isDescending: false });
    expect(nextOrder({ by: 'avg', isDescending: false }, 'max')).toEqual({ by: 'max', isDescending: true });
  });

  test('a click shows one line alone, a second click all, and a click with Ctrl or Shift changes one', () => {
    const keys = ['a', 'b', 'c'];
    const alone = hiddenAfter(keys, new Set(), 'a', false);
    expect([...alone]).toEqual(['b', 'c']);
    expect([...hiddenAfter(keys, alone, 'b', false)]).toEqual(['a', 'c']);
    expect([...hiddenAfter(keys, alone, 'a', false)]).toEqual([]);
    expect([...hiddenAfter(keys, alone, 'b', true)]).toEqual(['c']);
    expect([...hiddenAfter(keys, alone, 'a', true)]).toEqual(['b', 'c', 'a']);
  });
});
