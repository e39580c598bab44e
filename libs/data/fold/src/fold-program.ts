import type { StatedIntervals } from '@tidemark/model';
import { TIME_FOLD, type TimeFold } from './fold.ts';
import { FoldedSteps } from './folded-steps.ts';
import { addHeld } from './held-values.ts';
import { ProgramRecords } from './program-records.ts';
import { ReportingIntervals } from './reporting-interval.ts';
import { StepRun } from './step-run.ts';
import { holdMs, type TimeFolderOptions } from './time-folder.ts';

/**
 * What the fold of a series does with each of its values, which depends on nothing but its times: the same for all
 * series that have these times. It holds for series whose values are all there and of ordinary size, and of counters
 * only for those that never went down; FoldKernel finds out.
 */
export interface FoldProgram {
  /** Values are those of amounts or of increases, which are added up; otherwise they hold. */
  readonly isOfSums: boolean;
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
}

/** Whether there are programs for a fold. */
export function hasProgram(fold: TimeFold, isAmount: boolean): boolean {
  switch (fold) {
    case TIME_FOLD.increase:
    case TIME_FOLD.rate:
      return true;
    case TIME_FOLD.avg:
    case TIME_FOLD.min:
    case TIME_FOLD.max:
    case TIME_FOLD.last:
      return true;
    case TIME_FOLD.sum:
      return !isAmount;
    default:
      return false;
  }
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
  const { fold, isAmount } = options;
  if (!hasProgram(fold, isAmount)) return undefined;
  const out = new FoldedSteps(options);
  const records = new ProgramRecords();
  let durations: readonly number[] | undefined = [];
  const isOfSums = fold === TIME_FOLD.increase || fold === TIME_FOLD.rate || fold === TIME_FOLD.sum;
  if (fold === TIME_FOLD.sum) addWithin(out, records, timesMs, length);
  else if (isOfSums) spreadIncreases(out, records, timesMs, length);
  else durations = hold(options, out, records, timesMs, length, stated);
  // Amounts may reach over those that follow them.
  if (durations === undefined || !records.isInOrder) return undefined;
  const { weights, present, lastTimesMs, end } = out;
  const first = Math.min(out.first, end);
  const shared = { weights, present, lastTimesMs, first, end };
  return { isOfSums, records: records.finish(), durationsMs: Float64Array.from(durations), ...shared };
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

/** Of readings that are added up by their timestamps. */
function addWithin(out: FoldedSteps, records: ProgramRecords, timesMs: Float64Array, length: number): void {
  for (let i = 0; i < length && timesMs[i] < out.toMs; i++) {
    if (timesMs[i] < out.fromMs) {
      records.skip();
      continue;
    }
    const step = out.stepOf(timesMs[i]);
    records.add(step);
    out.touch(step, timesMs[i]);
  }
}

/** Of values that hold: for how long each does in its steps, or undefined where one has no duration. */
function hold(
  { isAmount, intervalMs }: TimeFolderOptions,
  out: FoldedSteps,
  records: ProgramRecords,
  timesMs: Float64Array,
  length: number,
  stated: StatedIntervals,
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
