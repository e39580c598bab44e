import { assert } from '@tidemark/ports';
import { type Frame, type FrameSeries, SERIES_COST } from './frame.ts';
import type { Work } from './work.ts';

/** Steps of one length, or those of a calendar. */
export type Starts = Pick<Frame, 'fromMs' | 'stepMs' | 'startsMs'>;

/** The start of a step, ms; of the step behind the last one the end of all. */
export function startOf(frame: Starts, step: number): number {
  return frame.startsMs?.[step] ?? frame.fromMs + step * frame.stepMs;
}

/** The length of a step, s. */
export function secondsOf(frame: Frame, step: number): number {
  return frame.startsMs === undefined ? frame.stepMs / 1000 : secondsBetween(frame, step, step + 1);
}

/** Seconds from the start of one step to the start of another. */
export function secondsBetween(frame: Frame, from: number, to: number): number {
  if (frame.startsMs === undefined) return (to - from) * (frame.stepMs / 1000);
  return (startOf(frame, to) - startOf(frame, from)) / 1000;
}

/** True when the values of both frames stand for the same steps. */
export function haveSameSteps(a: Frame, b: Frame): boolean {
  if (a.fromMs !== b.fromMs || a.stepMs !== b.stepMs || a.steps !== b.steps) return false;
  if (a.startsMs === undefined && b.startsMs === undefined) return true;
  for (let i = 0; i <= a.steps; i++) if (startOf(a, i) !== startOf(b, i)) return false;
  return true;
}

/** The frame without its first `count` steps; the values are shared with `frame`. */
export function dropSteps(frame: Frame, count: number): Frame {
  assert(count >= 0 && count <= frame.steps, 'only steps of the frame are dropped');
  if (count === 0) return frame;
  const { startsMs } = frame;
  return {
    ...frame,
    fromMs: startOf(frame, count),
    steps: frame.steps - count,
    ...(startsMs === undefined ? {} : { startsMs: startsMs.slice(count) }),
    series: frame.series.map((series) => ({ ...series, values: series.values.subarray(count) })),
  };
}

/** Applies `change` to what is behind the first `before` steps, which have no value in the result. */
export function* fromStep(frame: Frame, before: number, change: (frame: Frame) => Work<Frame>): Work<Frame> {
  if (before === 0) return yield* change(frame);
  const changed = yield* change(dropSteps(frame, before));
  const series: FrameSeries[] = [];
  for (const one of changed.series) {
    const values = new Float64Array(frame.steps).fill(Number.NaN);
    values.set(one.values, before);
    series.push({ ...one, values });
    yield SERIES_COST + values.length;
  }
  return { ...frame, series };
}
