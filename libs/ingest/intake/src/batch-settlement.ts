/** Waits for all shares of a batch, then says once whether every one is durable. */
export class BatchSettlement {
  readonly #done: (durable: boolean, acceptedPoints: number) => void;
  #waiting = 1;
  #durable = true;
  #points = 0;

  constructor(done: (durable: boolean, acceptedPoints: number) => void) {
    this.#done = done;
  }

  /** One more share is to be waited for. */
  expect(): void {
    this.#waiting++;
  }

  settle(durable: boolean, points: number): void {
    if (durable) this.#points += points;
    else this.#durable = false;
    this.#finish();
  }

  /** All shares were offered. */
  complete(): void {
    this.#finish();
  }

  #finish(): void {
    if (--this.#waiting === 0) this.#done(this.#durable, this.#points);
  }
}
