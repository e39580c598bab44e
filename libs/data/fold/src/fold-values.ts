import { unreachable } from '@tidemark/ports';
import { ScaledSums } from './scaled-sums.ts';

/** How values that exist become one, whether of several steps or of several series. */
export type ValueFold = 'avg' | 'sum' | 'min' | 'max' | 'count';

/** Folds values, of which there is at least one and none is NaN. */
export function foldValues(values: Float64Array, method: ValueFold): number {
  switch (method) {
    case 'avg':
      return sumOf(values, values.length);
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

/** The compensated sum of values, as the stores add them, divided by `divisor` before it could overflow. */
export function sumOf(values: Float64Array, divisor = 1): number {
  const sums = new ScaledSums(1);
  for (let i = 0; i < values.length; i++) sums.add(0, values[i]);
  return sums.value(0, divisor);
}
