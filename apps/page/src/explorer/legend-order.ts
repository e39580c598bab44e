import type { Line, Summary } from '../series-table.ts';

export interface LegendOrder {
  readonly by: keyof Summary | 'label';
  readonly isDescending: boolean;
}

/** A line and its place in the graph, which its colour depends on. */
export interface LegendLine {
  readonly line: Line;
  readonly at: number;
}

/** Sorts the lines of a legend. Lines without a figure come last in both directions, equal ones in the graph's order. */
export function sortedLegend(lines: readonly Line[], { by, isDescending }: LegendOrder): readonly LegendLine[] {
  const sign = isDescending ? -1 : 1;
  return lines
    .map((line, at) => ({ line, at }))
    .sort((a, b) => {
      if (by === 'label') return sign * (a.line.label < b.line.label ? -1 : Number(a.line.label > b.line.label));
      const [first, second] = [a.line.summary[by], b.line.summary[by]];
      if (first === null || second === null) return Number(first === null) - Number(second === null);
      return sign * (first - second);
    });
}

/** Returns the order after a click on a column: the other direction of the same one, else the highest or A first. */
export function nextOrder(order: LegendOrder, by: LegendOrder['by']): LegendOrder {
  return { by, isDescending: order.by === by ? !order.isDescending : by !== 'label' };
}

/**
 * Returns the hidden lines after a click on one: it alone is shown, or all are when it was alone already. With
 * `isOneMore` only that line is hidden or shown.
 */
export function hiddenAfter(
  keys: readonly string[],
  hidden: ReadonlySet<string>,
  key: string,
  isOneMore: boolean,
): ReadonlySet<string> {
  if (isOneMore) return new Set(hidden.has(key) ? [...hidden].filter((one) => one !== key) : [...hidden, key]);
  const others = keys.filter((one) => one !== key);
  const isAlone = !hidden.has(key) && others.every((one) => hidden.has(one));
  return new Set(isAlone ? [] : others);
}
