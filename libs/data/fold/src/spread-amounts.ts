import type { FoldedSteps } from './folded-steps.ts';

/**
 * Spreads an amount evenly over [startMs, endMs) and adds each step's part to its sum. Parts are differences of
 * cumulative shares, so that they add up to the amount; one that lies within a step is added as it is. An amount without
 * a duration belongs to the step of `startMs`. `newestMs` is the timestamp that the steps get.
 */
export function addSpread(out: FoldedSteps, startMs: number, endMs: number, amount: number, newestMs: number): void {
  if (startMs >= out.toMs || endMs < out.fromMs) return;
  if (endMs <= startMs) {
    if (startMs >= out.fromMs) addPart(out, out.stepOf(startMs), amount, 0, newestMs);
    return;
  }
  if (endMs === out.fromMs) return;
  const durationMs = endMs - startMs;
  let step = startMs <= out.fromMs ? 0 : out.stepOf(startMs);
  let fromMs = Math.max(startMs, out.fromMs);
  let before = fromMs === startMs ? 0 : amount * ((fromMs - startMs) / durationMs);
  const toMs = Math.min(endMs, out.toMs);
  while (fromMs < toMs) {
    const stepEndMs = Math.min(toMs, out.fromMs + (step + 1) * out.stepMs);
    const through = stepEndMs === endMs ? amount : amount * ((stepEndMs - startMs) / durationMs);
    addPart(out, step, through - before, stepEndMs - fromMs, newestMs);
    before = through;
    fromMs = stepEndMs;
    step++;
  }
}

function addPart(out: FoldedSteps, step: number, amount: number, coveredMs: number, newestMs: number): void {
  out.sums.add(step, amount);
  out.weights[step] += coveredMs;
  out.touch(step, newestMs);
}
