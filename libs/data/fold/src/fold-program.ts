import type { StatedIntervals } from '@tidemark/model';
import { TIME_FOLD, type TimeFold } from './fold.ts';
import { FoldedSteps } from './folded-steps.ts';
import { addHeld } from './held-values.ts';
import { ProgramRecords } from './program-records.ts';
import { ReportingIntervals } from './reporting-interval.ts';
import { addSpread } from './spread-amounts.ts';
import { StepRun } from './step-run.ts';
import { holdMs, type TimeFolderOptions } from './time-folder.ts';

/**
 * What the fold of a series does with each of its values, which depends on nothing but its times: the same for all
 * series that have these times. It holds for series whose values are all there and of ordinary size, and of counters
 * only for those that never went down; FoldKernel finds out.
 */
export interface FoldProgram {
  /** Records for fold.wat, see ProgramRecords. */
  readonly records: Uint8Array;
  /** Of values that hold, for how long each does in the steps to which it is added, ms. */
  readonly durationsMs: Float64Array;
  /** By step, see FoldedSteps; of an average or a rate. */
  readonly weights: Float64Array;
  /** What is the same for all series, by step, as of FoldedSeries. */
  readonly present: Uint8Array;
  readonly lastTimesMs: Float64Array;
  readonly first: number;
  readonly end: number;
  /** By step, the number of points, in place of the result; of a count only. */
  readonly counts: Float64Array | undefined;
}

/** Whether there are programs for a fold. */
export function hasProgram(fold: TimeFold): boolean {
  return !(fold === TIME_FOLD.sketch || fold === TIME_FOLD.sketchSum || fold === TIME_FOLD.sketchCount);
}

/**
 * The program for series with the first `length` of `timesMs`: ascending, no two equal, and the same context as
 * `TimeFolder.foldPoints` needs. Undefined where a fold has none for such times.
 */
export function foldProgram(
  options: TimeFolderOptions,
  timesMs: Float64Array,
  length: number,
  stated: StatedIntervals,
): FoldProgram | undefined {
  const { fold } = options;
  if (!hasProgram(fold)) return undefined;
  const out = new FoldedSteps(options);
  const records = new ProgramRecords();
  const counts = fold === TIME_FOLD.count ? new Float64Array(out.steps) : undefined;
  const durationsMs = writeRecords(options, out, records, { timesMs, length, stated, counts });
  // Amounts may reach over those that follow them.
  if (durationsMs === undefined || !records.isInOrder) return undefined;
  const { weights, present, lastTimesMs, end } = out;
  const steps = { weights, present, lastTimesMs, first: Math.min(out.first, end), end };
  return { records: records.finish(), durationsMs: Float64Array.from(durationsMs), ...steps, counts };
}

interface Times {
  readonly timesMs: Float64Array;
  readonly length: number;
  readonly stated: StatedIntervals;
  readonly counts: Float64Array | undefined;
}

/** Returns for how long each value holds, for folds of values that hold; undefined where there is no program. */
function writeRecords(
  options: TimeFolderOptions,
  out: FoldedSteps,
  records: ProgramRecords,
  times: Times,
): readonly number[] | undefined {
  const { timesMs, length } = times;
  switch (options.fold) {
    case TIME_FOLD.increase:
    case TIME_FOLD.rate:
      spreadIncreases(out, records, timesMs, length);
      return [];
    case TIME_FOLD.count:
    case TIME_FOLD.points:
      addWithin(out, records, times);
      return [];
    case TIME_FOLD.sum:
      if (options.isAmount) return spreadAmounts(options, out, records, times) ? [] : undefined;
      addWithin(out, records, times);
      return [];
    default:
      return hold(options, out, records, times);
  }
}

// The loops below say what those of TimeFolder do with values of the same times. Steps get their weights and times from
// the same functions, with amounts and values of zero.

/** Of the increases between two readings each. */
function spreadIncreases(out: FoldedSteps, records: ProgramRecords, timesMs: Float64Array, length: number): void {
  const run = new StepRun(out);
  run.begin();
  // The first value is the one before the first increase.
  for (let i = 1; i < length && timesMs[i - 1] < out.toMs; i++) {
    run.add(timesMs[i - 1], timesMs[i], 0, timesMs[i]);
    spread(out, records, timesMs[i - 1], timesMs[i]);
  }
  run.flush();
}

/** What `addSpread` does with the next amount, which has a duration. */
function spread(out: FoldedSteps, records: ProgramRecords, startMs: number, endMs: number): void {
  if (startMs >= out.toMs || endMs <= out.fromMs) {
    records.skip();
    return;
  }
  const durationMs = endMs - startMs;
  let step = startMs <= out.fromMs ? 0 : out.stepOf(startMs);
  let fromMs = Math.max(startMs, out.fromMs);
  const toMs = Math.min(endMs, out.toMs);
  if (fromMs === startMs && Math.min(toMs, out.fromMs + (step + 1) * out.stepMs) === endMs) {
    records.add(step);
    return;
  }
  records.take(fromMs === startMs ? 0 : (fromMs - startMs) / durationMs);
  while (fromMs < toMs) {
    const stepEndMs = Math.min(toMs, out.fromMs + (step + 1) * out.stepMs);
    if (stepEndMs === endMs) records.rest(step);
    else records.cut(step, (stepEndMs - startMs) / durationMs);
    fromMs = stepEndMs;
    step++;
  }
}

/** Of amounts over their intervals; false where one reaches less far than its interval. */
function spreadAmounts(
  { intervalMs }: TimeFolderOptions,
  out: FoldedSteps,
  records: ProgramRecords,
  { timesMs, length, stated }: Times,
): boolean {
  const intervals = new ReportingIntervals(intervalMs);
  intervals.begin(timesMs, new Float64Array(length), stated);
  for (let i = 0; i < length && timesMs[i] < out.toMs; i++) {
    const startMs = timesMs[i];
    const ownMs = intervals.ofAmount(i);
    const endMs = intervals.reachOf(i, length, ownMs);
    if (endMs !== startMs + ownMs) return false;
    addSpread(out, startMs, endMs, 0, startMs);
    if (endMs > startMs) spread(out, records, startMs, endMs);
    else if (startMs < out.fromMs) records.skip();
    else records.add(out.stepOf(startMs));
  }
  return true;
}

/** Of points that are added up, or counted, by their timestamps. */
function addWithin(out: FoldedSteps, records: ProgramRecords, { timesMs, length, counts }: Times): void {
  for (let i = 0; i < length && timesMs[i] < out.toMs; i++) {
    if (timesMs[i] < out.fromMs) {
      records.skip();
      continue;
    }
    const step = out.stepOf(timesMs[i]);
    records.add(step);
    out.touch(step, timesMs[i]);
    if (counts !== undefined) counts[step]++;
  }
}

/** Of values that hold: for how long each does in its steps, or undefined where one has no duration. */
function hold(
  { isAmount, intervalMs }: TimeFolderOptions,
  out: FoldedSteps,
  records: ProgramRecords,
  { timesMs, length, stated }: Times,
): readonly number[] | undefined {
  const intervals = new ReportingIntervals(intervalMs);
  const durationsMs: number[] = [];
  const zeros = new Float64Array(length);
  intervals.begin(timesMs, zeros, stated);
  for (let i = 0; i < length && timesMs[i] < out.toMs; i++) {
    const startMs = timesMs[i];
    const nextMs = i + 1 < length ? timesMs[i + 1] : Number.POSITIVE_INFINITY;
    let endMs = nextMs;
    if (isAmount) endMs = intervals.reachOf(i, length);
    else if (nextMs > out.fromMs) endMs = Math.min(nextMs, startMs + holdMs(intervals.ofReading(i)));
    if (endMs <= startMs && startMs >= out.fromMs) return undefined;
    if (endMs <= out.fromMs) {
      records.skip();
      continue;
    }
    addHeld(out, startMs, endMs, 0);
    let step = startMs <= out.fromMs ? 0 : out.stepOf(startMs);
    let fromMs = Math.max(startMs, out.fromMs);
    const toMs = Math.min(endMs, out.toMs);
    for (let isFirst = true; fromMs < toMs; isFirst = false) {
      const stepEndMs = Math.min(toMs, out.fromMs + (step + 1) * out.stepMs);
      if (isFirst) records.add(step);
      else records.again(step);
      durationsMs.push(stepEndMs - fromMs);
      fromMs = stepEndMs;
      step++;
    }
  }
  return durationsMs;
}
