/** A counter that goes down by less than this share of itself has not restarted. */
const DIP_SHARE = 1 / 8;
/** Points that the level depends on, those without a value too. */
export const LEVEL_POINTS = 8;

/**
 * The level that a counter has reached: the highest reading among its last eight points since it restarted. Two senders
 * of one series, or a kernel that corrects a figure, make a counter dip a little again and again; the way back up to the
 * level does not count as growth. Eight points, and not all, so that the level does not depend on how far back a range reaches.
 */
export class CounterLevel {
  readonly #values = new Float64Array(LEVEL_POINTS);
  #length = 0;
  #next = 0;
  #newest = Number.NaN;
  #highest = Number.NaN;

  /** The highest reading; NaN when there is none. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether a counter whose next reading is `value` has restarted. */
  isRestart(value: number): boolean {
    return value < this.#newest && value <= this.#newest * (1 - DIP_SHARE);
  }

  /** Adds the next point; NaN for one without a value. */
  push(value: number): void {
    if (!Number.isNaN(value)) this.#newest = value;
    const left = this.#length === LEVEL_POINTS ? this.#values[this.#next] : Number.NaN;
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % LEVEL_POINTS;
    if (this.#length < LEVEL_POINTS) this.#length++;
    if (value >= this.#highest) this.#highest = value;
    else if (left === this.#highest || Number.isNaN(this.#highest)) this.#highest = this.#findHighest();
  }

  #findHighest(): number {
    let highest = Number.NaN;
    for (let i = 0; i < this.#length; i++)
      if (this.#values[i] > highest || Number.isNaN(highest)) highest = this.#values[i];
    return highest;
  }

  clear(): void {
    this.#length = 0;
    this.#next = 0;
    this.#newest = Number.NaN;
    this.#highest = Number.NaN;
  }
}
