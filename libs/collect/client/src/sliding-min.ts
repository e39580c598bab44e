/** The minimum value of a queue, at amortized constant cost: pushed at the end, removed from the front by number. */
export class SlidingMin {
  /** Candidates, numbers and values both ascending. */
  readonly #numbers: number[] = [];
  readonly #values: number[] = [];
  #head = 0;

  push(number: number, value: number): void {
    while (this.#values.length > this.#head && this.#values[this.#values.length - 1] >= value) {
      this.#values.pop();
      this.#numbers.pop();
    }
    this.#values.push(value);
    this.#numbers.push(number);
  }

  /** Removes everything numbered below `number`. */
  removeBelow(number: number): void {
    while (this.#head < this.#numbers.length && this.#numbers[this.#head] < number) this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#numbers.length) {
      this.#numbers.splice(0, this.#head);
      this.#values.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Infinity when the queue is empty. */
  min(): number {
    return this.#head < this.#values.length ? this.#values[this.#head] : Number.POSITIVE_INFINITY;
  }
}
