/** What a program of fold.wat does next: the numbers of its records, and for which of the two loops they are. */
export const RECORD_KIND = {
  skip: 0,
  add: 1,
  /** Of sums. */
  take: 2,
  takeFrom: 3,
  cut: 4,
  rest: 5,
  /** Of values that hold. */
  again: 2,
  end: 6,
} as const;

export const RECORD_BYTES = 16;
const NO_STEP = -1;

/** Writes a program of fold.wat: numbers of values in a row become one record. */
export class ProgramRecords {
  #bytes = new ArrayBuffer(64 * RECORD_BYTES);
  #words = new Uint32Array(this.#bytes);
  #factors = new Float64Array(this.#bytes);
  #length = 0;
  #step = NO_STEP;
  /** Kind of the last record while more values may be added to it, else -1. */
  #open = -1;
  /** Every step came after those that had ended. */
  isInOrder = true;

  /** The next value belongs to no step. */
  skip(): void {
    this.#count(RECORD_KIND.skip);
  }

  /** The next value, or amount, is added to `step` as it is. */
  add(step: number): void {
    this.#enter(step);
    this.#count(RECORD_KIND.add);
  }

  /** The next amount is taken; `before` of it lies before the range. */
  take(before: number): void {
    if (before === 0) this.#push(RECORD_KIND.take, 0, 0);
    else this.#push(RECORD_KIND.takeFrom, 0, before);
  }

  /** What lies between the last share and this one of the amount that was taken is added to `step`. */
  cut(step: number, share: number): void {
    this.#enter(step);
    this.#push(RECORD_KIND.cut, 0, share);
  }

  /** What is left of the amount that was taken is added to `step`. */
  rest(step: number): void {
    this.#enter(step);
    this.#push(RECORD_KIND.rest, 0, 0);
  }

  /** The last value is added to `step`, too. */
  again(step: number): void {
    this.#enter(step);
    this.#push(RECORD_KIND.again, 1, 0);
  }

  /** The program, whose last step has ended. */
  finish(): Uint8Array {
    this.#endStep();
    return new Uint8Array(this.#bytes, 0, this.#length * RECORD_BYTES);
  }

  #enter(step: number): void {
    if (step === this.#step) return;
    if (step < this.#step) this.isInOrder = false;
    this.#endStep();
    this.#step = step;
  }

  #endStep(): void {
    if (this.#step !== NO_STEP) this.#push(RECORD_KIND.end, this.#step, 0);
    this.#step = NO_STEP;
  }

  #count(kind: number): void {
    if (this.#open === kind) {
      this.#words[this.#length * 4 - 3]++;
      return;
    }
    this.#push(kind, 1, 0);
    this.#open = kind;
  }

  #push(kind: number, n: number, factor: number): void {
    if (this.#length * RECORD_BYTES === this.#bytes.byteLength) this.#grow();
    const at = this.#length++;
    this.#words[4 * at] = kind;
    this.#words[4 * at + 1] = n;
    this.#factors[2 * at + 1] = factor;
    this.#open = -1;
  }

  #grow(): void {
    const words = this.#words;
    this.#bytes = new ArrayBuffer(2 * this.#bytes.byteLength);
    this.#words = new Uint32Array(this.#bytes);
    this.#words.set(words);
    this.#factors = new Float64Array(this.#bytes);
  }
}
