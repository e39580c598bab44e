import { KIND } from '@tidemark/model';
import { type Frame, mapValues } from './frame.ts';
import type { MovingMethod } from './method-names.ts';
import type { Work } from './work.ts';

/** Steps that an `ewma` of this span reads, the own one included; what is older would weigh less than 0.1%. */
export function ewmaWindow(span: number): number {
  return span === 1 ? 1 : Math.ceil(3.5 * span);
}

/**
 * The exponentially weighted moving average: a value k steps older weighs (1 - α)^k with α = 2 / (span + 1), and the
 * weights of the values in the window are scaled to a sum of 1. Only `ewmaWindow(span)` steps count, so that the result
 * of a step depends on no other steps. A step without a value has none.
 */
export function ewma(frame: Frame, span: number): Work<Frame> {
  const decay = 1 - 2 / (span + 1);
  const weights = Float64Array.from({ length: ewmaWindow(span) }, (_, age) => decay ** age);
  return mapValues(
    frame,
    (values, out) => {
      for (let i = 0; i < values.length; i++) {
        if (Number.isNaN(values[i])) continue;
        const ages = Math.min(weights.length, i + 1);
        let sum = 0;
        let weight = 0;
        for (let age = 0; age < ages; age++) {
          const value = values[i - age];
          if (Number.isNaN(value)) continue;
          sum += weights[age] * value;
          weight += weights[age];
        }
        out[i] = sum / weight;
      }
    },
    { kind: KIND.gauge, weight: weights.length },
  );
}

/** The median of the values of the last `span` steps; a step without a value has none. */
export function movingMedian(frame: Frame, span: number): Work<Frame> {
  const sorted = new Float64Array(span);
  const median = (values: Float64Array, out: Float64Array) => {
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) continue;
      let count = 0;
      for (let k = Math.max(0, i - span + 1); k <= i; k++) {
        const value = values[k];
        if (Number.isNaN(value)) continue;
        let at = count++;
        for (; at > 0 && sorted[at - 1] > value; at--) sorted[at] = sorted[at - 1];
        sorted[at] = value;
      }
      const middle = count >> 1;
      out[i] = count % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
  };
  return mapValues(frame, median, { weight: span });
}

/** What a value of a moving rollup costs. */
const MOVING_WEIGHT = 8;

/**
 * The values of the last `window` steps combined, the own step included. A step has a value where one of them has one.
 *
 * The time is linear for any window (van Herk and Gil & Werman): windows are put together from runs that begin and end
 * at multiples of `window`. The multiples are counted from the epoch, so that sums of floating-point numbers are added
 * in the same order for every start of the frame.
 */
export function movingRollup(frame: Frame, window: number, method: MovingMethod): Work<Frame> {
  const offset = Math.round(frame.fromMs / frame.stepMs) % window;
  return mapValues(
    frame,
    (values, out) => {
      const counts = moving(values.map(asCount), window, offset, add);
      if (method === 'count') out.set(counts);
      else out.set(moving(values, window, offset, OPERATIONS[method === 'avg' ? 'sum' : method]));
      if (method === 'avg') for (let i = 0; i < out.length; i++) out[i] /= counts[i];
    },
    { kind: method === 'sum' ? undefined : KIND.gauge, weight: MOVING_WEIGHT },
  );
}

/** The average of the values of the last `span` steps. */
export function rollingAverage(frame: Frame, span: number): Work<Frame> {
  return movingRollup(frame, span, 'avg');
}

type Combine = (a: number, b: number) => number;

const OPERATIONS: Readonly<Record<Exclude<MovingMethod, 'avg' | 'count'>, Combine>> = {
  sum: add,
  min: Math.min,
  max: Math.max,
};

function add(a: number, b: number): number {
  return a + b;
}

function asCount(value: number): number {
  return Number.isNaN(value) ? Number.NaN : 1;
}

/** Combines the last `window` values of each step; NaN means without value. The first block lacks its first `offset` steps. */
function moving(values: Float64Array, window: number, offset: number, operation: Combine): Float64Array {
  const combine: Combine = (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : operation(a, b));
  const blockOf = (i: number) => Math.floor((i + offset) / window);
  const toBlockEnd = new Float64Array(values);
  for (let i = values.length - 2; i >= 0; i--) {
    if (blockOf(i) === blockOf(i + 1)) toBlockEnd[i] = combine(values[i], toBlockEnd[i + 1]);
  }
  const out = new Float64Array(values.length);
  let fromBlockStart = Number.NaN;
  for (let i = 0; i < values.length; i++) {
    const isSameBlock = i > 0 && blockOf(i) === blockOf(i - 1);
    fromBlockStart = isSameBlock ? combine(fromBlockStart, values[i]) : values[i];
    const start = Math.max(0, i - window + 1);
    // A window within one block begins where the block does, or where the frame does.
    out[i] = blockOf(start) === blockOf(i) ? fromBlockStart : combine(toBlockEnd[start], fromBlockStart);
  }
  return out;
}
