import { assert } from '@tidemark/ports';
import type { DDSketch } from '@tidemark/sketch';
import { SPACE_FOLD } from './fold.ts';
import type { SpacePartial } from './space-partial.ts';

/** Steps whose quantile is in a collapsed bucket, so that it is known less exactly than by the sketch's accuracy. */
export interface WideQuantiles {
  readonly steps: number;
  /** Bounds of the true value of the step with the widest ones. */
  readonly low: number;
  readonly high: number;
}

/** Room for rounding of the edges of buckets. */
const ROUNDING = 1 + 1e-6;

/** Finds the steps of a sketch partial whose quantile (0 to 1) has wider bounds than alpha; undefined for none. */
export function wideQuantiles(partial: SpacePartial, quantile: number): WideQuantiles | undefined {
  assert(partial.fold === SPACE_FOLD.sketch, 'only a partial of sketches has quantiles');
  let widest: WideQuantiles | undefined;
  let steps = 0;
  for (const sketch of partial.sketches) {
    if (sketch === undefined || sketch.count === 0) continue;
    const bounds = boundsBeyondAlpha(sketch, quantile);
    if (bounds === undefined) continue;
    steps++;
    if (widest === undefined || bounds.high - bounds.low > widest.high - widest.low) widest = { steps, ...bounds };
  }
  return widest === undefined ? undefined : { ...widest, steps };
}

function boundsBeyondAlpha(sketch: DDSketch, quantile: number): Omit<WideQuantiles, 'steps'> | undefined {
  const { value, low, high } = sketch.quantile(quantile);
  const magnitude = Math.abs(value);
  const isNear = (bound: number): boolean => {
    const size = Math.abs(bound);
    return size <= (magnitude / (1 - sketch.alpha)) * ROUNDING && size * ROUNDING >= magnitude / (1 + sketch.alpha);
  };
  return isNear(low) && isNear(high) ? undefined : { low, high };
}
