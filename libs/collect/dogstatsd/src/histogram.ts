import { DDSketch, nearestRank } from '@tidemark/sketch';

/**
 * The values of one series in one interval. Percentiles are exact while all values are kept, and within 1% after the
 * values were moved into a sketch. Count, sum and maximum are exact in both cases.
 */
export class Histogram {
  #values: number[] = [];
  #weights: number[] = [];
  #sketch: DDSketch | undefined;
  #count = 0;
  #sum = 0;
  #max = Number.NEGATIVE_INFINITY;
  #owed = 0;

  /** Number of values that are kept exactly. */
  get kept(): number {
    return this.#values.length;
  }

  get sketch(): DDSketch | undefined {
    return this.#sketch;
  }

  get count(): number {
    return this.#count;
  }

  get avg(): number {
    return this.#sum / this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /** Adds a value that represents `weight` occurrences: 1 / sample rate. */
  add(value: number, weight: number): void {
    this.#count += weight;
    this.#sum += value * weight;
    if (value > this.#max) this.#max = value;
    if (this.#sketch !== undefined) {
      this.#insert(this.#sketch, value, weight);
    } else {
      this.#values.push(value);
      this.#weights.push(weight);
    }
  }

  /** Moves the kept values into a sketch. Later values are added to it. */
  spill(): void {
    const sketch = new DDSketch();
    for (let i = 0; i < this.#values.length; i++) this.#insert(sketch, this.#values[i], this.#weights[i]);
    this.#values = [];
    this.#weights = [];
    this.#sketch = sketch;
  }

  /** A sketch counts in whole numbers. The fraction of a weight is carried to the next value: counts stay within 1. */
  #insert(sketch: DDSketch, value: number, weight: number): void {
    const due = weight + this.#owed;
    const whole = Math.max(1, Math.floor(due));
    this.#owed = due - whole;
    sketch.insert(value, whole);
  }

  /** Returns the values at quantiles (0 to 1, ascending): each of the nearest rank, as a distribution's. */
  quantiles(quantiles: readonly number[]): number[] {
    const sketch = this.#sketch;
    if (sketch !== undefined) return quantiles.map((q) => sketch.quantile(q).value);
    const ranks = quantiles.map((q) => nearestRank(q, this.#count));
    const order = this.#values.map((_, i) => i).sort((a, b) => this.#values[a] - this.#values[b]);
    const out: number[] = [];
    let weight = 0;
    for (const i of order) {
      weight += this.#weights[i];
      while (out.length < ranks.length && weight >= ranks[out.length]) out.push(this.#values[i]);
    }
    // Rounding of the weights' sum may leave the last rank without a value: it is the maximum.
    while (out.length < ranks.length) out.push(this.#max);
    return out;
  }
}
