import type { FoldedSteps } from './folded-steps.ts';

/**
 * Folds a value that holds over [startMs, endMs) into the steps that it touches, weighted by time. A value without a
 * duration (`endMs` = `startMs`) counts in the average of its step only where no other value covers any of it.
 */
export function addHeld(out: FoldedSteps, startMs: number, endMs: number, value: number): void {
  if (startMs >= out.toMs || endMs < out.fromMs) return;
  if (endMs <= startMs) {
    if (startMs >= out.fromMs) addInstant(out, startMs, value);
    return;
  }
  if (endMs === out.fromMs) return;
  let step = startMs <= out.fromMs ? 0 : out.stepOf(startMs);
  let fromMs = Math.max(startMs, out.fromMs);
  const toMs = Math.min(endMs, out.toMs);
  while (fromMs < toMs) {
    const stepEndMs = Math.min(toMs, out.fromMs + (step + 1) * out.stepMs);
    // What had no duration yields to what has.
    if (out.weights[step] < 0) clearAverage(out, step);
    out.weights[step] += stepEndMs - fromMs;
    out.sums.add(step, value, stepEndMs - fromMs);
    addExtremes(out, step, value);
    out.last[step] = value;
    out.touch(step, startMs);
    fromMs = stepEndMs;
    step++;
  }
}

/** The average of a step by time; NaN where nothing was added. */
export function heldAverage(out: FoldedSteps, step: number): number {
  const min = out.min[step];
  const max = out.max[step];
  if (min === max) return min;
  const average = out.sums.value(step, Math.abs(out.weights[step]));
  return Math.min(max, Math.max(min, average));
}

/** Weights below zero count values without a duration. */
function addInstant(out: FoldedSteps, timeMs: number, value: number): void {
  const step = out.stepOf(timeMs);
  if (out.weights[step] <= 0) {
    out.weights[step]--;
    out.sums.add(step, value);
  }
  addExtremes(out, step, value);
  out.last[step] = value;
  out.touch(step, timeMs);
}

function addExtremes(out: FoldedSteps, step: number, value: number): void {
  if (value < out.min[step]) out.min[step] = value;
  if (value > out.max[step]) out.max[step] = value;
}

function clearAverage(out: FoldedSteps, step: number): void {
  out.sums.clear(step, step + 1);
  out.weights[step] = 0;
}
