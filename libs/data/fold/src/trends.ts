import { KIND } from '@tidemark/model';
import { type Frame, mapValues } from './frame.ts';
import { startOf } from './frame-steps.ts';
import type { Work } from './work.ts';

/** Residuals beyond this many standard deviations count linearly: 95% efficiency for normal errors (Huber 1964). */
const HUBER_K = 1.345;
/** The standard deviation of normal values is their median absolute deviation times this. */
const MAD_SCALE = 1.4826;
const ROBUST_ITERATIONS = 20;
/** What a value costs in one round of a fit. */
const FIT_WEIGHT = 4;

/** The line of ordinary linear regression through the values, in every step; one value gives a level line. */
export function trendLine(frame: Frame): Work<Frame> {
  return fitted(frame, (times, values) => regressionLine(times, values, undefined));
}

/** The line with the minimum Huber loss through the values (iteratively reweighted least squares), in every step. */
export function robustTrend(frame: Frame): Work<Frame> {
  return fitted(frame, robustLine, ROBUST_ITERATIONS);
}

interface Line {
  readonly level: number;
  readonly slope: number;
}

function fitted(frame: Frame, fit: (times: Float64Array, values: Float64Array) => Line, rounds = 1): Work<Frame> {
  return mapValues(
    frame,
    (values, out) => {
      // Steps of the frame as the unit, counted from its start, keep the sums small.
      const timeOf = (i: number) => (startOf(frame, i) - frame.fromMs) / frame.stepMs;
      const steps = presentSteps(values);
      if (steps.length === 0) return;
      const { level, slope } = fit(
        Float64Array.from(steps, timeOf),
        Float64Array.from(steps, (i) => values[i]),
      );
      for (let i = 0; i < out.length; i++) out[i] = level + slope * timeOf(i);
    },
    { kind: KIND.gauge, weight: FIT_WEIGHT * rounds },
  );
}

function regressionLine(times: Float64Array, values: Float64Array, weights: Float64Array | undefined): Line {
  let weight = 0;
  let time = 0;
  let value = 0;
  for (let i = 0; i < times.length; i++) {
    const w = weights?.[i] ?? 1;
    weight += w;
    time += w * times[i];
    value += w * values[i];
  }
  const meanTime = time / weight;
  const meanValue = value / weight;
  let covariance = 0;
  let variance = 0;
  for (let i = 0; i < times.length; i++) {
    const w = weights?.[i] ?? 1;
    covariance += w * (times[i] - meanTime) * (values[i] - meanValue);
    variance += w * (times[i] - meanTime) ** 2;
  }
  const slope = variance === 0 ? 0 : covariance / variance;
  return { level: meanValue - slope * meanTime, slope };
}

function robustLine(times: Float64Array, values: Float64Array): Line {
  let line = regressionLine(times, values, undefined);
  for (let i = 0; i < ROBUST_ITERATIONS; i++) {
    const residuals = values.map((value, k) => value - line.level - line.slope * times[k]);
    const limit = HUBER_K * MAD_SCALE * medianOf(residuals.map(Math.abs));
    if (limit === 0) return line;
    const next = regressionLine(
      times,
      values,
      residuals.map((residual) => (Math.abs(residual) <= limit ? 1 : limit / Math.abs(residual))),
    );
    const change = Math.abs(next.level - line.level) + Math.abs(next.slope - line.slope) * times.length;
    line = next;
    if (change <= 1e-6 * limit) return line;
  }
  return line;
}

/** Segments of `piecewise_constant`, and the shortest of them in values. */
const MAX_PIECES = 20;
const SHORTEST_PIECE = 3;

/**
 * The mean of the segment that a step belongs to, in every step with a value. Binary segmentation: the segment whose
 * best cut lowers the squared error most is cut, until no cut lowers it by more than the noise explains (3 σ² ln n), or
 * there are 20 segments. The noise σ is estimated from the smaller 80% of the differences of neighboring values.
 */
export function piecewiseConstant(frame: Frame): Work<Frame> {
  return mapValues(
    frame,
    (values, out) => {
      const steps = presentSteps(values);
      const pieces = piecesOf(Float64Array.from(steps, (i) => values[i]));
      for (const { from, to, mean } of pieces) for (let k = from; k < to; k++) out[steps[k]] = mean;
    },
    { kind: KIND.gauge, weight: FIT_WEIGHT * MAX_PIECES },
  );
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  /** Where the best cut is, and how much it lowers the squared error. */
  readonly cut: number;
  readonly gain: number;
}

function piecesOf(values: Float64Array): Piece[] {
  if (values.length === 0) return [];
  const shift = values[0];
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = sums[i] + (values[i] - shift);
  const differences = values.slice(1).map((value, i) => value - values[i]);
  const noise = noiseOf(differences);
  const penalty = 3 * noise * noise * Math.log(values.length);
  const pieces = [pieceOf(sums, shift, 0, values.length)];
  while (pieces.length < MAX_PIECES) {
    const next = pieces.reduce((best, piece, i) => (piece.gain > pieces[best].gain ? i : best), 0);
    const { from, to, cut, gain, mean } = pieces[next];
    if (!(gain > penalty) || gain <= 1e-18 * mean * mean * values.length) break;
    pieces.splice(next, 1, pieceOf(sums, shift, from, cut), pieceOf(sums, shift, cut, to));
  }
  return pieces;
}

/** The standard deviation of the noise between steps; the largest differences are jumps and left out. */
function noiseOf(differences: Float64Array): number {
  const middle = medianOf(differences);
  const deviations = differences.map((value) => Math.abs(value - middle)).sort();
  const kept = deviations.subarray(0, Math.max(1, Math.floor(deviations.length * 0.8)));
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  // A normal difference is its mean deviation times sqrt(π / 2); it is the sum of two errors.
  return (mean * Math.sqrt(Math.PI / 2)) / Math.SQRT2;
}

function pieceOf(sums: Float64Array, shift: number, from: number, to: number): Piece {
  const total = sums[to] - sums[from];
  let cut = from;
  let gain = 0;
  for (let at = from + SHORTEST_PIECE; at <= to - SHORTEST_PIECE; at++) {
    const left = sums[at] - sums[from];
    const right = total - left;
    const lowered = left ** 2 / (at - from) + right ** 2 / (to - at) - total ** 2 / (to - from);
    if (lowered > gain) [cut, gain] = [at, lowered];
  }
  return { from, to, mean: shift + total / (to - from), cut, gain };
}

function presentSteps(values: Float64Array): number[] {
  const steps: number[] = [];
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) steps.push(i);
  return steps;
}

/** The median; 0 of no values. */
function medianOf(values: Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
