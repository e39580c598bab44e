import type { Frame } from './frame.ts';
import { movingRollup } from './smoothing.ts';
import type { Work } from './work.ts';

/** Series that the span is chosen from; the others are smoothed with the same span. */
const JUDGED_SERIES = 20;
/** Spans that are tried, spread evenly by ratio. */
const TRIED_SPANS = 40;
const NORMAL_KURTOSIS = 3;
/** What the shape of a series costs by value. */
const SHAPE_COST = 4;

/** The longest span that `autosmooth` may choose for a range of so many steps. */
export function longestSmoothSpan(steps: number): number {
  return Math.max(1, Math.floor(steps / 10));
}

/**
 * A moving average whose span fits the series, after ASAP (Rong & Bailis, "ASAP: Prioritizing Attention via Time Series
 * Smoothing", VLDB 2017): of the spans that keep outliers visible, the one that leaves the lowest roughness (the standard
 * deviation of the differences between successive values). Outliers stay visible when the kurtosis of no series falls; a
 * series without any, whose kurtosis is at most that of normal noise, does not count, since the paper's condition would
 * keep its noise. All series get one span, of at most a tenth of the range. The span is chosen from what is behind the
 * first `before` steps; these are the values before the range.
 */
export function* autosmooth(frame: Frame, before: number): Work<Frame> {
  const span = yield* smoothSpan(frame, before);
  const smoothed = yield* movingRollup(frame, span, 'avg');
  // A gap stays a gap: the average of the steps before is not a value of this one.
  for (let k = 0; k < smoothed.series.length; k++) {
    const original = frame.series[k].values;
    const { values } = smoothed.series[k];
    for (let i = 0; i < values.length; i++) if (Number.isNaN(original[i])) values[i] = Number.NaN;
    yield values.length;
  }
  return smoothed;
}

function* smoothSpan(frame: Frame, before: number): Work<number> {
  const judged = { ...frame, series: frame.series.slice(0, JUDGED_SERIES) };
  const original = judged.series.map(({ values }) => shapeOf(values.subarray(before)));
  let best = 1;
  let bestRoughness = original.filter(({ roughness }) => roughness > 0).length;
  for (const span of triedSpans(longestSmoothSpan(frame.steps - before))) {
    let total = 0;
    const smoothed = yield* movingRollup(judged, span, 'avg');
    const isKept = smoothed.series.every(({ values }, i) => {
      const { roughness, kurtosis } = original[i];
      if (!(roughness > 0)) return true;
      const shape = shapeOf(values.subarray(before));
      total += shape.roughness / roughness;
      return kurtosis <= NORMAL_KURTOSIS || shape.kurtosis >= kurtosis;
    });
    yield SHAPE_COST * judged.series.length * frame.steps;
    if (!isKept || total >= bestRoughness) continue;
    best = span;
    bestRoughness = total;
  }
  return best;
}

function triedSpans(longest: number): number[] {
  const spans = new Set<number>();
  for (let i = 1; i <= TRIED_SPANS; i++) spans.add(Math.round(longest ** (i / TRIED_SPANS)));
  for (let span = 2; span <= Math.min(longest, 10); span++) spans.add(span);
  return [...spans].filter((span) => span > 1).sort((a, b) => a - b);
}

/** Roughness and kurtosis of the values that are there; NaN of too few, or of a constant. */
function shapeOf(values: Float64Array): { readonly roughness: number; readonly kurtosis: number } {
  const present = values.filter((value) => !Number.isNaN(value));
  const differences = present.slice(1).map((value, i) => value - present[i]);
  const [variance, fourth] = moments(present);
  return { roughness: Math.sqrt(moments(differences)[0]), kurtosis: fourth / (variance * variance) };
}

/** The second and the fourth central moment. */
function moments(values: Float64Array): [number, number] {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let second = 0;
  let fourth = 0;
  for (const value of values) {
    const square = (value - mean) * (value - mean);
    second += square;
    fourth += square * square;
  }
  return [second / values.length, fourth / values.length];
}
