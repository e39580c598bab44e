import { addCompensated, addRunCompensated, compensatedValue } from './compensated-sum.ts';

/** Larger values could overflow a sum: 2^48 of weight each, and 2^64 of them. */
export const LARGE = 2 ** 900;
const SCALE = 2 ** -124;

/**
 * Compensated sums that don't overflow on their way: from the first very large value on, all are kept scaled by a power of
 * two, which changes no digit of any number above 1e-288.
 */
export class ScaledSums {
  readonly sum: Float64Array;
  readonly rest: Float64Array;
  readonly residue: Float64Array;
  isScaled = false;

  constructor(length: number) {
    this.sum = new Float64Array(length);
    this.rest = new Float64Array(length);
    this.residue = new Float64Array(length);
  }

  get length(): number {
    return this.sum.length;
  }

  /** Adds `value` times a weight of at most 2^48. */
  add(index: number, value: number, weight = 1): void {
    if (Math.abs(value) > LARGE && !this.isScaled) this.#scale();
    addCompensated(this.sum, this.rest, this.residue, index, (this.isScaled ? value * SCALE : value) * weight);
  }

  /** Adds `values[from, to)` except for NaN. */
  addRun(index: number, values: Float64Array, from: number, to: number): void {
    let i = from;
    if (!this.isScaled) i = addRunCompensated(this.sum, this.rest, this.residue, index, values, from, to, LARGE);
    for (; i < to; i++) if (!Number.isNaN(values[i])) this.add(index, values[i]);
  }

  /** Adds all of `other`, which has the same length and stays as it is. */
  merge(other: ScaledSums): void {
    if (other.isScaled && !this.isScaled) this.#scale();
    const factor = this.isScaled && !other.isScaled ? SCALE : 1;
    const { sum, rest, residue } = this;
    for (let i = 0; i < sum.length; i++) {
      addCompensated(sum, rest, residue, i, other.sum[i] * factor);
      addCompensated(sum, rest, residue, i, other.rest[i] * factor);
      addCompensated(sum, rest, residue, i, other.residue[i] * factor);
    }
  }

  /** The sum at `index`, divided by `divisor` before it could overflow. */
  value(index: number, divisor = 1): number {
    const value = compensatedValue(this.sum, this.rest, this.residue, index) / divisor;
    return this.isScaled ? value / SCALE : value;
  }

  /** Sets the sums [from, to) to zero; an empty range of a scaled column leaves it scaled. */
  clear(from: number, to: number): void {
    this.sum.fill(0, from, to);
    this.rest.fill(0, from, to);
    this.residue.fill(0, from, to);
  }

  /** Sets one sum to zero. */
  clearAt(index: number): void {
    this.sum[index] = 0;
    this.rest[index] = 0;
    this.residue[index] = 0;
  }

  #scale(): void {
    this.isScaled = true;
    for (const column of [this.sum, this.rest, this.residue]) {
      for (let i = 0; i < column.length; i++) column[i] *= SCALE;
    }
  }
}
