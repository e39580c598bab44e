/**
 * Waits for all parts of a batch or a request, then reports once which partitions did not store theirs. It begins with
 * one part of its own, which `complete` settles, so it cannot end while parts are still added.
 */
export class Settlement {
  readonly #done: (notStored: ReadonlySet<number>) => void;
  readonly #notStored = new Set<number>();
  #waiting = 1;

  constructor(done: (notStored: ReadonlySet<number>) => void) {
    this.#done = done;
  }

  /** Adds a part. `settle` or `settleBatch` must follow once. */
  expect(): void {
    this.#waiting++;
  }

  /** Settles the part of one partition, which is durable or may not be. */
  settle(partition: number, durable: boolean): void {
    if (!durable) this.#notStored.add(partition);
    this.#finish();
  }

  /** Settles a part that is a batch of several partitions. It is durable except in these. */
  settleBatch(notStored: ReadonlySet<number>): void {
    for (const partition of notStored) this.#notStored.add(partition);
    this.#finish();
  }

  /** Marks that all parts were added. */
  complete(): void {
    this.#finish();
  }

  #finish(): void {
    if (--this.#waiting === 0) this.#done(this.#notStored);
  }
}
