import { TidemarkError } from '@tidemark/ports';

/** The error for a value that is not finite, with its index in the values; tests: `ddsketch.test.ts`. */
export function notFinite(value: number, index = 0): TidemarkError {
  return new TidemarkError('invalid_argument', `value: ${value} (limit: a finite number)`, {
    field: 'value',
    reason: 'not_finite',
    index,
  });
}

/** Throws `invalid_argument` for the first of values[from] to values[to - 1] that is NaN or infinite. */
export function checkAllFinite(values: Float64Array, from: number, to: number): void {
  // x - x is 0 for every finite x and NaN for the others, and a NaN stays in the sum: one branch per batch.
  let difference = 0;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const a = values[i] - values[i] + (values[i + 1] - values[i + 1]);
    const b = values[i + 2] - values[i + 2] + (values[i + 3] - values[i + 3]);
    difference += a + b;
  }
  for (; i < to; i++) difference += values[i] - values[i];
  if (difference === 0) return;
  for (let at = from; at < to; at++) if (!Number.isFinite(values[at])) throw notFinite(values[at], at);
}
