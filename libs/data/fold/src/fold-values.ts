import { unreachable } from '@tidemark/ports';

/** How values that exist become one, whether of several steps or of several series. */
export type ValueFold = 'avg' | 'sum' | 'min' | 'max' | 'count';

/** Folds values, of which there is at least one and none is NaN. */
export function foldValues(values: Float64Array, method: ValueFold): number {
  switch (method) {
    case 'avg':
      return sumOf(values) / values.length;
    case 'sum':
      return sumOf(values);
    case 'min':
      return values.reduce((a, b) => Math.min(a, b));
    case 'max':
      return values.reduce((a, b) => Math.max(a, b));
    case 'count':
      return values.length;
    default:
      return unreachable(method);
  }
}

export function sumOf(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
