import type { FoldedSteps } from './folded-steps.ts';
import { addSpread } from './spread-amounts.ts';

/** Amounts that are collected before they are added to their step. */
const AMOUNTS = 64;

/**
 * Spreads amounts as `addSpread` does, one after the other, to the same bits. Most of them lie within the step of the one
 * before: these are collected, and added to their step together.
 */
export class StepRun {
  readonly #out: FoldedSteps;
  readonly #amounts = new Float64Array(AMOUNTS);
  #length = 0;
  #coveredMs = 0;
  #newestMs = 0;
  /** The step in which the last amount ended, [fromMs, endMs). */
  #step = 0;
  #fromMs = 0;
  #endMs = 0;

  constructor(out: FoldedSteps) {
    this.#out = out;
  }

  /** Begins with another series. */
  begin(): void {
    this.#length = 0;
    this.#fromMs = 0;
    this.#endMs = 0;
  }

  /** See `addSpread`; call `flush` behind the last one. */
  add(startMs: number, endMs: number, amount: number, newestMs: number): void {
    // Often an amount begins where the step ends. A call would make objects of its times.
    if (startMs === this.#endMs && startMs > this.#fromMs && startMs < this.#out.toMs) {
      this.flush();
      this.#enter(this.#step + 1);
    }
    if (startMs >= this.#fromMs && endMs <= this.#endMs && endMs > startMs && !Number.isNaN(amount)) {
      if (this.#length === AMOUNTS) this.flush();
      this.#amounts[this.#length++] = amount;
      this.#coveredMs += endMs - startMs;
      this.#newestMs = newestMs;
      return;
    }
    this.flush();
    const out = this.#out;
    addSpread(out, startMs, endMs, amount, newestMs);
    if (endMs < out.fromMs || endMs >= out.toMs) return;
    this.#enter(out.stepOf(endMs));
  }

  #enter(step: number): void {
    const { fromMs, toMs, stepMs } = this.#out;
    this.#step = step;
    this.#fromMs = fromMs + step * stepMs;
    this.#endMs = Math.min(toMs, fromMs + (step + 1) * stepMs);
  }

  /** Adds what was collected. */
  flush(): void {
    if (this.#length === 0) return;
    const out = this.#out;
    out.sums.addRun(this.#step, this.#amounts, 0, this.#length);
    out.weights[this.#step] += this.#coveredMs;
    out.touch(this.#step, this.#newestMs);
    this.#length = 0;
    this.#coveredMs = 0;
  }
}
