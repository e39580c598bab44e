import { assert } from '@tidemark/ports';
import { ScaledSums } from './scaled-sums.ts';

/** The steps [fromMs + i * stepMs, fromMs + (i + 1) * stepMs) for i below `steps`. */
export interface Steps {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

/**
 * The columns that one series is folded into, one entry a step. Only the range that was touched is reset for the next
 * series, so that a short series in a long range costs little.
 */
export class FoldedSteps {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly sums: ScaledSums;
  /** Time that is covered, ms; of amounts the number of points. */
  readonly weights: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;
  readonly lastTimesMs: Float64Array;
  readonly present: Uint8Array;
  first: number;
  end = 0;

  constructor({ fromMs, stepMs, steps }: Steps) {
    assert(Number.isInteger(steps) && steps > 0, 'steps is a positive integer');
    assert(stepMs > 0, 'stepMs is positive');
    this.fromMs = fromMs;
    this.toMs = fromMs + stepMs * steps;
    this.stepMs = stepMs;
    this.steps = steps;
    this.sums = new ScaledSums(steps);
    this.weights = new Float64Array(steps);
    this.min = new Float64Array(steps).fill(Number.POSITIVE_INFINITY);
    this.max = new Float64Array(steps).fill(Number.NEGATIVE_INFINITY);
    this.last = new Float64Array(steps);
    this.lastTimesMs = new Float64Array(steps);
    this.present = new Uint8Array(steps);
    this.first = steps;
  }

  /** Resets what the series before has touched. */
  begin(): void {
    const { first, end } = this;
    if (first < end) {
      this.sums.clear(first, end);
      this.weights.fill(0, first, end);
      this.min.fill(Number.POSITIVE_INFINITY, first, end);
      this.max.fill(Number.NEGATIVE_INFINITY, first, end);
      this.present.fill(0, first, end);
    }
    this.sums.isScaled = false;
    this.first = this.steps;
    this.end = 0;
  }

  /** The step of a time within the range. */
  stepOf(timeMs: number): number {
    return Math.floor((timeMs - this.fromMs) / this.stepMs);
  }

  /** Marks that the step has a value, whose newest point is at `timeMs`. */
  touch(step: number, timeMs: number): void {
    if (step < this.first) this.first = step;
    if (step >= this.end) this.end = step + 1;
    this.present[step] = 1;
    this.lastTimesMs[step] = timeMs;
  }
}
