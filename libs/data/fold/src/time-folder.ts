import { HOLD_INTERVALS, NOTHING_STATED, type StatedIntervals } from '@tidemark/model';
import { assert, finishAtOnce, unreachable } from '@tidemark/ports';
import { CounterLevel, LEVEL_POINTS } from './counter-level.ts';
import { TIME_FOLD, type TimeFold } from './fold.ts';
import { FoldedSteps, type Steps } from './folded-steps.ts';
import { addHeld, heldAverage } from './held-values.ts';
import { INTERVAL_GAPS, REACH_POINTS, ReportingIntervals } from './reporting-interval.ts';
import { addSpread } from './spread-amounts.ts';
import { StepRun } from './step-run.ts';
import type { Work } from './work.ts';

/** A counter's reading after more than this many points without a value begins a new life. */
const MISSING_READINGS = 4;
/** Points that are folded in one piece. */
const PIECE = 4096;
/** Sketches that are given to steps in one piece, and what one costs in units of the cost of a point. */
const SKETCHES = 1024;
const SKETCH_COST = 2;

/**
 * Points that a fold needs on each side of a range for an answer that is the same for every range: the neighbour, points
 * without a value before it, amounts that reach into it, and those that an inferred interval and the level of a counter
 * depend on. Amounts with a stated interval reach in from as far as it is long.
 */
export const CONTEXT_POINTS = Math.max(1 + LEVEL_POINTS, Math.max(MISSING_READINGS, REACH_POINTS) + INTERVAL_GAPS);
/** The interval of a first reading, of which nothing is known yet, ms: the one that most agents have. */
const UNKNOWN_INTERVAL_MS = 10_000;

/** How far a reading holds without another one, ms; its reporting interval is 0 when none is known. */
export function holdMs(intervalMs: number): number {
  return HOLD_INTERVALS * (intervalMs > 0 ? intervalMs : UNKNOWN_INTERVAL_MS);
}

/**
 * One series folded over time. It belongs to the folder and holds until its next series; outside of
 * [first, end) nothing is present.
 */
export interface FoldedSeries {
  /** One a step; meaningful only where `present`. */
  readonly values: Float64Array;
  /** 1 where the step has a value. */
  readonly present: Uint8Array;
  /** Timestamp of the newest point that the step's value depends on, ms; meaningful only where `present`. */
  readonly lastTimesMs: Float64Array;
  readonly first: number;
  readonly end: number;
  /** Of the sketch fold only: packed sketches in the order they were added, and the step of each. */
  readonly packed: readonly Uint8Array[];
  readonly packedSteps: readonly number[];
}

export interface TimeFolderOptions extends Steps {
  readonly fold: TimeFold;
  /** The points are amounts, each over its interval, and not readings, which hold until the next. */
  readonly isAmount: boolean;
  /** Reporting interval that is stated of the metric, ms, for points whose series states none; 0 by default: none. */
  readonly intervalMs?: number;
}

/** What a fold of counters has met; the sums of all series since the folder was made. */
export interface CounterFindings {
  /** The counter began again: it went down by an eighth or more. */
  restarts: number;
  /** It went down by less: a corrected figure, or two senders of one series. */
  dips: number;
}

/**
 * Folds points of one series after the other into steps, without allocating per point or per series. A point stands
 * for a stretch of time, so that a step's value is a function of the series alone:
 *
 * - A reading holds until the next one, at most 2.5 reporting intervals (25 s when none is known yet), and ends at a NaN,
 *   which is how a sender says that a series has ended. avg weighs by time; min, max and last are of the values that hold
 *   within the step.
 * - An amount at t belongs evenly to [t, t + interval). An inferred interval reaches at most to the fourth point after t:
 *   what is left then belongs to that time.
 * - The increase of a counter belongs evenly to the time between its two readings, however long. After a restart it is
 *   counted from zero; a dip of less than an eighth adds nothing, and what comes back from it has not grown.
 *
 * points, sum of readings and count are of the points whose timestamps lie within the step.
 */
export class TimeFolder {
  readonly fold: TimeFold;
  readonly findings: CounterFindings = { restarts: 0, dips: 0 };
  readonly #isAmount: boolean;
  readonly #out: FoldedSteps;
  readonly #values: Float64Array;
  readonly #intervals: ReportingIntervals;
  readonly #level = new CounterLevel();
  readonly #run: StepRun;
  /** Stands for the values of sketches where intervals are inferred: none of them is NaN. */
  #noValues = new Float64Array(0);
  /** The columns that are being folded, and the points of them that were. */
  #timesMs: Float64Array = NOTHING;
  #pointValues: Float64Array = NOTHING;
  #length = 0;
  #at = 0;
  /** The newest reading of a counter, and the points without a value since then. */
  #previousMs = Number.NaN;
  #missing = 0;
  readonly #packed: Uint8Array[] = [];
  readonly #packedSteps: number[] = [];
  /** The same object for every series: a query folds hundreds of thousands. */
  readonly #folded: { -readonly [field in keyof FoldedSeries]: FoldedSeries[field] };

  constructor(options: TimeFolderOptions) {
    this.fold = options.fold;
    this.#isAmount = options.isAmount;
    this.#intervals = new ReportingIntervals(options.intervalMs);
    const out = new FoldedSteps(options);
    this.#out = out;
    this.#run = new StepRun(out);
    this.#values = new Float64Array(options.steps);
    const { present, lastTimesMs } = out;
    const [values, packed, packedSteps] = [this.#values, this.#packed, this.#packedSteps];
    this.#folded = { values, present, lastTimesMs, first: 0, end: 0, packed, packedSteps };
  }

  /**
   * Folds the first `length` points of two parallel columns: ascending by time, one a timestamp, and where the series
   * has them CONTEXT_POINTS before the range and as many after it. Of a distribution the values are the sums of its
   * sketches, or their counts.
   */
  foldPoints(
    timesMs: Float64Array,
    values: Float64Array,
    length: number,
    stated: StatedIntervals = NOTHING_STATED,
  ): FoldedSeries {
    this.#begin(timesMs, values, length, stated);
    while (this.#at < length) this.#foldThrough(length);
    return this.#finish();
  }

  /** Does what `foldPoints` does, in pieces. The columns must stay unchanged until the last one. */
  *foldPointsInPieces(
    timesMs: Float64Array,
    values: Float64Array,
    length: number,
    stated: StatedIntervals = NOTHING_STATED,
  ): Work<FoldedSeries> {
    this.#begin(timesMs, values, length, stated);
    while (this.#at < length) {
      const from = this.#at;
      this.#foldThrough(Math.min(length, from + PIECE));
      yield this.#at - from;
    }
    return this.#finish();
  }

  #begin(timesMs: Float64Array, values: Float64Array, length: number, stated: StatedIntervals): void {
    this.#out.begin();
    this.#intervals.begin(timesMs, values, stated);
    this.#timesMs = timesMs;
    this.#pointValues = values;
    this.#length = length;
    this.#at = 0;
    this.#level.clear();
    this.#run.begin();
    this.#previousMs = Number.NaN;
    this.#missing = 0;
  }

  /** Folds the next points, to `end`, or a little further where a step has to be whole. */
  #foldThrough(end: number): void {
    switch (this.fold) {
      case TIME_FOLD.avg:
      case TIME_FOLD.min:
      case TIME_FOLD.max:
      case TIME_FOLD.last:
        this.#at = this.#foldHeld(end);
        break;
      case TIME_FOLD.sketchSum:
      case TIME_FOLD.sketchCount:
        this.#at = this.#foldAmounts(end);
        break;
      case TIME_FOLD.sum:
        this.#at = this.#isAmount ? this.#foldAmounts(end) : this.#foldWithin(end);
        break;
      case TIME_FOLD.count:
      case TIME_FOLD.points:
        this.#at = this.#foldWithin(end);
        break;
      case TIME_FOLD.increase:
      case TIME_FOLD.rate:
        this.#at = this.#foldIncrease(end);
        break;
      case TIME_FOLD.sketch:
        throw new TypeError('the sketch fold takes sketches, not values');
      default:
        unreachable(this.fold);
    }
  }

  /** Reporting interval of the point at `index` of the columns that were folded last, ms; 0 when none is known. */
  intervalAt(index: number): number {
    return this.#isAmount ? this.#intervals.ofAmount(index) : this.#intervals.ofReading(index);
  }

  /**
   * Folds packed sketches, ascending by time, which must stay unchanged until the result has been used. A sketch
   * belongs to each step that its interval touches: percentiles of a step shorter than the interval are those of the
   * interval. Sketch fold only.
   */
  foldSketches(timesMs: Float64Array, packed: readonly Uint8Array[], stated?: StatedIntervals): FoldedSeries {
    return finishAtOnce(this.foldSketchesInPieces(timesMs, packed, stated));
  }

  /** Does what `foldSketches` does, in pieces. */
  *foldSketchesInPieces(
    timesMs: Float64Array,
    packed: readonly Uint8Array[],
    stated: StatedIntervals = NOTHING_STATED,
  ): Work<FoldedSeries> {
    assert(this.fold === TIME_FOLD.sketch, 'only the sketch fold takes sketches');
    const out = this.#out;
    out.begin();
    this.#packed.length = 0;
    this.#packedSteps.length = 0;
    if (this.#noValues.length < packed.length) this.#noValues = new Float64Array(2 * packed.length);
    this.#intervals.begin(timesMs, this.#noValues, stated);
    let paid = 0;
    for (let i = 0; i < packed.length && timesMs[i] < out.toMs; i++) {
      const endMs = Math.max(this.#intervals.reachOf(i, packed.length), timesMs[i] + 1);
      if (endMs <= out.fromMs) continue;
      const last = Math.min(out.steps - 1, Math.ceil((endMs - out.fromMs) / out.stepMs) - 1);
      for (let step = Math.max(0, out.stepOf(timesMs[i])); step <= last; step++) {
        out.touch(step, timesMs[i]);
        this.#packed.push(packed[i]);
        this.#packedSteps.push(step);
      }
      if (this.#packed.length < paid + SKETCHES) continue;
      yield (this.#packed.length - paid) * SKETCH_COST;
      paid = this.#packed.length;
    }
    return this.#finish();
  }

  // The folds below fold the points from `#at` to `end`, and return how many have been folded then, or are behind the range.

  /** Values that hold: readings until the next point, amounts over their interval. */
  #foldHeld(end: number): number {
    const [out, timesMs, values, length] = [this.#out, this.#timesMs, this.#pointValues, this.#length];
    for (let i = this.#at; i < end; i++) {
      if (timesMs[i] >= out.toMs) return length;
      const value = values[i];
      const timeMs = timesMs[i];
      // A NaN has no value; it has ended the hold of the one before.
      if (Number.isNaN(value)) continue;
      if (this.#isAmount) {
        addHeld(out, timeMs, this.#intervals.reachOf(i, length), value);
        continue;
      }
      const nextMs = i + 1 < length ? timesMs[i + 1] : Number.POSITIVE_INFINITY;
      if (nextMs <= out.fromMs) continue;
      addHeld(out, timeMs, Math.min(nextMs, timeMs + holdMs(this.#intervals.ofReading(i))), value);
    }
    return end;
  }

  #foldAmounts(end: number): number {
    const [out, timesMs, values, length] = [this.#out, this.#timesMs, this.#pointValues, this.#length];
    for (let i = this.#at; i < end; i++) {
      if (timesMs[i] >= out.toMs) return length;
      const value = values[i];
      if (Number.isNaN(value)) continue;
      const timeMs = timesMs[i];
      const intervalMs = this.#intervals.ofAmount(i);
      const reachMs = this.#intervals.reachOf(i, length, intervalMs);
      if (reachMs === timeMs + intervalMs) {
        addSpread(out, timeMs, reachMs, value, timeMs);
        continue;
      }
      const within = value * ((reachMs - timeMs) / intervalMs);
      addSpread(out, timeMs, reachMs, within, timeMs);
      addSpread(out, reachMs, reachMs, value - within, timeMs);
    }
    return end;
  }

  #foldIncrease(end: number): number {
    const [out, timesMs, values] = [this.#out, this.#timesMs, this.#pointValues];
    const { findings } = this;
    const [level, run] = [this.#level, this.#run];
    let previousMs = this.#previousMs;
    let missing = this.#missing;
    for (let i = this.#at; i < end; i++) {
      const value = values[i];
      if (Number.isNaN(value)) {
        level.push(value);
        missing++;
        if (missing <= MISSING_READINGS) continue;
        level.clear();
        previousMs = Number.NaN;
        continue;
      }
      missing = 0;
      const timeMs = timesMs[i];
      const isWithin = timeMs > out.fromMs && previousMs < out.toMs;
      let increase = value - level.highest;
      // At the level or above it a counter has not restarted: the newest reading is among those that the level depends on.
      if (!(increase >= 0) && level.isRestart(value)) {
        level.clear();
        increase = Math.max(0, value);
        if (isWithin) findings.restarts++;
      } else if (increase < 0) {
        increase = 0;
        if (isWithin) findings.dips++;
      }
      // The very first reading says nothing about how much the counter grew.
      if (!Number.isNaN(previousMs)) run.add(previousMs, timeMs, increase, timeMs);
      level.push(value);
      previousMs = timeMs;
      if (timeMs < out.toMs) continue;
      run.flush();
      return this.#length;
    }
    run.flush();
    this.#previousMs = previousMs;
    this.#missing = missing;
    return end;
  }

  /** Sums and counts points by their timestamps, one whole step after the other. */
  #foldWithin(end: number): number {
    const [out, timesMs, values, length] = [this.#out, this.#timesMs, this.#pointValues, this.#length];
    const { fromMs, toMs, stepMs } = out;
    let i = this.#at;
    while (i < end && timesMs[i] < fromMs) i++;
    while (i < end && timesMs[i] < toMs) {
      const step = out.stepOf(timesMs[i]);
      const endMs = Math.min(toMs, fromMs + (step + 1) * stepMs);
      const first = i;
      let count = 0;
      let newestMs = 0;
      do {
        if (!Number.isNaN(values[i])) {
          count++;
          newestMs = timesMs[i];
        }
        i++;
      } while (i < length && timesMs[i] < endMs);
      if (count === 0) continue;
      if (this.fold === TIME_FOLD.count) out.sums.add(step, count);
      else out.sums.addRun(step, values, first, i);
      out.touch(step, newestMs);
    }
    return i < end ? length : i;
  }

  #finish(): FoldedSeries {
    const out = this.#out;
    const values = this.#values;
    const end = out.end;
    const first = Math.min(out.first, end);
    for (let step = first; step < end; step++) if (out.present[step] === 1) values[step] = this.#valueOf(step);
    const folded = this.#folded;
    folded.first = first;
    folded.end = end;
    return folded;
  }

  #valueOf(step: number): number {
    const out = this.#out;
    switch (this.fold) {
      case TIME_FOLD.avg:
        return heldAverage(out, step);
      case TIME_FOLD.min:
        return out.min[step];
      case TIME_FOLD.max:
        return out.max[step];
      case TIME_FOLD.last:
        return out.last[step];
      case TIME_FOLD.rate:
        // Two readings are at different times, so what an increase covers is above zero.
        return (out.sums.value(step) / out.weights[step]) * 1000;
      default:
        return out.sums.value(step);
    }
  }
}

const NOTHING = new Float64Array(0);
