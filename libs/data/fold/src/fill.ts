import { unreachable } from '@tidemark/ports';
import { type Frame, mapValues } from './frame.ts';
import { secondsBetween } from './frame-steps.ts';
import type { Work } from './work.ts';

export const FILL_MODES = ['linear', 'last', 'zero', 'null'] as const;
export type FillMode = (typeof FILL_MODES)[number];

/** Limit of a fill when a query names none, seconds. */
export const DEFAULT_FILL_LIMIT_SECONDS = 300;

/**
 * Fills steps without a value. `linear` draws a line over a gap between two values at most `limitSeconds` apart;
 * `last` repeats a value and `zero` writes 0 for at most `limitSeconds` after a value; `null` fills no steps. Steps
 * before the first value are never filled.
 */
export function* fill(frame: Frame, mode: FillMode, limitSeconds: number = DEFAULT_FILL_LIMIT_SECONDS): Work<Frame> {
  const isNear = (from: number, to: number) => secondsBetween(frame, from, to) <= limitSeconds;
  switch (mode) {
    case 'null':
      return frame;
    case 'linear':
      return yield* mapValues(frame, (values, out) => fillLinear(values, out, isNear));
    case 'last':
      return yield* mapValues(frame, (values, out) => fillAfter(values, out, isNear, true));
    case 'zero':
      return yield* mapValues(frame, (values, out) => fillAfter(values, out, isNear, false));
    default:
      return unreachable(mode);
  }
}

/** Replaces every step without a value of the existing series by 0. It adds no series. */
export function defaultZero(frame: Frame): Work<Frame> {
  return mapValues(frame, (values, out) => {
    for (let i = 0; i < values.length; i++) out[i] = Number.isNaN(values[i]) ? 0 : values[i];
  });
}

type IsNear = (from: number, to: number) => boolean;

function fillLinear(values: Float64Array, out: Float64Array, isNear: IsNear): void {
  let previous = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    out[i] = values[i];
    const gap = i - previous;
    if (previous >= 0 && gap > 1 && isNear(previous, i)) {
      const slope = (values[i] - values[previous]) / gap;
      for (let k = 1; k < gap; k++) out[previous + k] = values[previous] + slope * k;
    }
    previous = i;
  }
}

function fillAfter(values: Float64Array, out: Float64Array, isNear: IsNear, repeat: boolean): void {
  let previous = -1;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) {
      out[i] = values[i];
      previous = i;
    } else if (previous >= 0 && isNear(previous, i)) {
      out[i] = repeat ? values[previous] : 0;
    }
  }
}
