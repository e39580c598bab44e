/**
 * Waits for all parts of a batch, or of a request, then reports once which partitions did not store theirs. It starts
 * with one part of its own, which `complete` settles: so it can't end while parts are still added.
 */
export class Settlement {
  readonly #done: (notStored: ReadonlySet<number>) => void;
  readonly #notStored = new Set<number>();
  #waiting = 1;

  constructor(done: (notStored: ReadonlySet<number>) => void) {
    this.#done = done;
  }

  /** Adds a part; `settle` or `settleBatch` must follow once. */
  expect(): void {
    this.#waiting++;
  }

  /** The part of one partition is durable, or may not be. */
  settle(partition: number, durable: boolean): void {
    if (!durable) this.#notStored.add(partition);
    this.#finish();
  }

  /** A part that is a batch of several partitions is durable but in these. */
  settleBatch(notStored: ReadonlySet<number>): void {
    for (const partition of notStored) this.#notStored.add(partition);
    this.#finish();
  }

  /** All parts are added. */
  complete(): void {
    this.#finish();
  }

  #finish(): void {
    if (--this.#waiting === 0) this.#done(this.#notStored);
  }
}
