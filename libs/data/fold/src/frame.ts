import type { Kind } from '@tidemark/model';
import type { Work } from './work.ts';

/** What a series costs apart from its values or points, in those. */
export const SERIES_COST = 16;

/** A finished series: one value per step, NaN for no value. */
export interface FrameSeries {
  /** `key:value` of each key of the grouping, in its order; empty when all series were folded into one. */
  readonly tags: readonly string[];
  /** The metric's name, or the expression's, as in `abs(system.load.1)`. */
  readonly metric: string;
  /** Kind of the values: a rate of a count is a gauge, and the number of values of a distribution is a count. */
  readonly kind: Kind;
  /** Kind of the stored series that it is folded from; absent where several series became one. */
  readonly storedKind?: Kind;
  readonly values: Float64Array;
}

/**
 * Finished series over common steps. values[i] stands for [fromMs + i * stepMs, fromMs + (i + 1) * stepMs), or for
 * [startsMs[i], startsMs[i + 1]) where the steps are of a calendar.
 */
export interface Frame {
  readonly fromMs: number;
  /** The length of a step, ms; of calendar steps that of the longest. */
  readonly stepMs: number;
  readonly steps: number;
  /** Starts of calendar steps and the end of the last, ascending, ms; absent where all steps have the same length. */
  readonly startsMs?: readonly number[];
  readonly series: readonly FrameSeries[];
}

/**
 * A new frame with each series' values replaced by those that `change` writes into `out` (which is all NaN). `weight` is
 * what a value costs, as a multiple of reading it.
 */
export function* mapValues(
  frame: Frame,
  change: (values: Float64Array, out: Float64Array, series: FrameSeries) => void,
  { kind, weight = 1 }: { readonly kind?: Kind; readonly weight?: number } = {},
): Work<Frame> {
  const changed: FrameSeries[] = [];
  for (const series of frame.series) {
    const values = new Float64Array(series.values.length).fill(Number.NaN);
    change(series.values, values, series);
    changed.push({ ...series, kind: kind ?? series.kind, values });
    yield SERIES_COST + weight * values.length;
  }
  return { ...frame, series: changed };
}

/** The frame with each value that is there replaced by `change` of it. */
export function mapEach(frame: Frame, change: (value: number) => number): Work<Frame> {
  return mapValues(frame, (values, out) => {
    for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) out[i] = change(values[i]);
  });
}
