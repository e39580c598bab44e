import { assert, unreachable } from '@tidemark/ports';
import { TIME_FOLD, type TimeFold } from './fold.ts';

/** The steps [fromMs + i * stepMs, fromMs + (i + 1) * stepMs) for i below `steps`. */
export interface Steps {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

/**
 * One series folded over time. The arrays belong to the folder and hold until its next `begin`; outside of
 * [first, end) nothing is present.
 */
export interface FoldedSeries {
  /** One a step; meaningful only where `present`. */
  readonly values: Float64Array;
  /** 1 where the step has a value. */
  readonly present: Uint8Array;
  /** Timestamp of the newest point of the step, ms; meaningful only where `present`. */
  readonly lastTimesMs: Float64Array;
  readonly first: number;
  readonly end: number;
  /** Of the sketch fold only: packed sketches in the order they were added, and the step of each. */
  readonly packed: readonly Uint8Array[];
  readonly packedSteps: readonly number[];
}

export interface TimeFolderOptions extends Steps {
  readonly fold: TimeFold;
}

/**
 * Folds points of one series after the other into steps, without allocating per point or per series.
 *
 * Per series: `begin`, `seed` where the fold is `increase`, then points in ascending order of time through `add`,
 * `addRun` or `addSketch`, then `finish`. Points outside of the steps are passed over, and so is NaN, which means
 * "no value" in every fold. Two points of the same timestamp are both folded: the store resolves those first.
 */
export class TimeFolder {
  readonly fold: TimeFold;
  readonly #fromMs: number;
  readonly #stepMs: number;
  readonly #steps: number;
  readonly #neutral: number;
  readonly #values: Float64Array;
  readonly #counts: Float64Array;
  readonly #lastTimesMs: Float64Array;
  readonly #present: Uint8Array;
  readonly #packed: Uint8Array[] = [];
  readonly #packedSteps: number[] = [];
  /** A run of one point, for `add`. */
  readonly #oneTimeMs = new Float64Array(1);
  readonly #oneValue = new Float64Array(1);
  #previous = Number.NaN;
  /** The touched range of steps; empty while first is `#steps`. */
  #first: number;
  #end = 0;

  constructor(options: TimeFolderOptions) {
    assert(Number.isInteger(options.steps) && options.steps > 0, 'steps is a positive integer');
    assert(options.stepMs > 0, 'stepMs is positive');
    this.fold = options.fold;
    this.#fromMs = options.fromMs;
    this.#stepMs = options.stepMs;
    this.#steps = options.steps;
    this.#neutral = neutralOf(options.fold);
    this.#values = new Float64Array(options.steps).fill(this.#neutral);
    this.#counts = new Float64Array(options.steps);
    this.#lastTimesMs = new Float64Array(options.steps);
    this.#present = new Uint8Array(options.steps);
    this.#first = options.steps;
  }

  /** Starts the next series. */
  begin(): void {
    if (this.#first < this.#end) {
      this.#values.fill(this.#neutral, this.#first, this.#end);
      this.#counts.fill(0, this.#first, this.#end);
      this.#present.fill(0, this.#first, this.#end);
    }
    this.#first = this.#steps;
    this.#end = 0;
    this.#previous = Number.NaN;
    this.#packed.length = 0;
    this.#packedSteps.length = 0;
  }

  /** The last value before the first step: what the first increase is counted from. */
  seed(value: number): void {
    this.#previous = value;
  }

  add(timeMs: number, value: number): void {
    this.#oneTimeMs[0] = timeMs;
    this.#oneValue[0] = value;
    this.addRun(this.#oneTimeMs, this.#oneValue, 0, 1);
  }

  /** Adds the points [from, to) of two parallel columns. */
  addRun(timesMs: Float64Array, values: Float64Array, from: number, to: number): void {
    assert(this.fold !== TIME_FOLD.sketch, 'the sketch fold takes sketches, not values');
    const toMs = this.#fromMs + this.#stepMs * this.#steps;
    let start = from;
    while (start < to && timesMs[start] < this.#fromMs) start++;
    while (start < to && timesMs[start] < toMs) {
      const step = Math.floor((timesMs[start] - this.#fromMs) / this.#stepMs);
      const stepEndMs = this.#fromMs + (step + 1) * this.#stepMs;
      let end = start + 1;
      while (end < to && timesMs[end] < stepEndMs) end++;
      this.#foldWithin(step, timesMs, values, start, end);
      start = end;
    }
  }

  /** Adds a packed sketch, which must stay unchanged until the folded series has been used. Sketch fold only. */
  addSketch(timeMs: number, packed: Uint8Array): void {
    assert(this.fold === TIME_FOLD.sketch, 'only the sketch fold takes sketches');
    const step = Math.floor((timeMs - this.#fromMs) / this.#stepMs);
    if (step < 0 || step >= this.#steps) return;
    this.#touch(step, timeMs);
    this.#counts[step]++;
    this.#packed.push(packed);
    this.#packedSteps.push(step);
  }

  finish(): FoldedSeries {
    const end = this.#end;
    const first = Math.min(this.#first, end);
    for (let step = first; step < end; step++) {
      if (this.#counts[step] === 0) continue;
      this.#present[step] = 1;
      if (this.fold === TIME_FOLD.avg) this.#values[step] /= this.#counts[step];
    }
    return {
      values: this.#values,
      present: this.#present,
      lastTimesMs: this.#lastTimesMs,
      first,
      end,
      packed: this.#packed,
      packedSteps: this.#packedSteps,
    };
  }

  #touch(step: number, timeMs: number): void {
    if (step < this.#first) this.#first = step;
    if (step >= this.#end) this.#end = step + 1;
    this.#lastTimesMs[step] = timeMs;
  }

  /** Folds the points [from, to), all of one step. */
  #foldWithin(step: number, timesMs: Float64Array, values: Float64Array, from: number, to: number): void {
    let folded = this.#values[step];
    let count = 0;
    let lastTimeMs = 0;
    switch (this.fold) {
      case TIME_FOLD.avg:
      case TIME_FOLD.sum:
        for (let i = from; i < to; i++) {
          if (Number.isNaN(values[i])) continue;
          folded += values[i];
          lastTimeMs = timesMs[i];
          count++;
        }
        break;
      case TIME_FOLD.min:
        for (let i = from; i < to; i++) {
          if (Number.isNaN(values[i])) continue;
          if (values[i] < folded) folded = values[i];
          lastTimeMs = timesMs[i];
          count++;
        }
        break;
      case TIME_FOLD.max:
        for (let i = from; i < to; i++) {
          if (Number.isNaN(values[i])) continue;
          if (values[i] > folded) folded = values[i];
          lastTimeMs = timesMs[i];
          count++;
        }
        break;
      case TIME_FOLD.count:
      case TIME_FOLD.last:
        for (let i = from; i < to; i++) {
          if (Number.isNaN(values[i])) continue;
          folded = this.fold === TIME_FOLD.last ? values[i] : folded + 1;
          lastTimeMs = timesMs[i];
          count++;
        }
        break;
      case TIME_FOLD.increase:
        for (let i = from; i < to; i++) {
          const value = values[i];
          if (Number.isNaN(value)) continue;
          // The very first value of a counter says nothing about how much it grew.
          if (!Number.isNaN(this.#previous)) {
            folded += value < this.#previous ? value : value - this.#previous;
            lastTimeMs = timesMs[i];
            count++;
          }
          this.#previous = value;
        }
        break;
      case TIME_FOLD.sketch:
        break;
      default:
        unreachable(this.fold);
    }
    if (count === 0) return;
    this.#values[step] = folded;
    this.#counts[step] += count;
    this.#touch(step, lastTimeMs);
  }
}

/** The value that changes nothing: what a step starts from. */
function neutralOf(fold: TimeFold): number {
  if (fold === TIME_FOLD.min) return Number.POSITIVE_INFINITY;
  return fold === TIME_FOLD.max ? Number.NEGATIVE_INFINITY : 0;
}
