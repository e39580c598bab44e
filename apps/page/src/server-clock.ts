/**
 * The server's clock, estimated from its answers. The reader's clock may be off by minutes, but ages such as
 * `2.1 s ago` must be right. Before the first answer it is the reader's clock.
 */
export class ServerClock {
  readonly #nowMs: () => number;
  #offsetMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs() + this.#offsetMs;
  }

  /** Records the time `serverMs` of an answer. The request was sent at `askedMs` of the reader's clock. */
  observe(serverMs: number, askedMs: number): void {
    const answeredMs = this.#nowMs();
    if (serverMs <= 0) return;
    const offsetMs = serverMs - (askedMs + answeredMs) / 2;
    // The estimate is precise to half the round trip: a smaller correction is noise that would move every graph.
    if (Math.abs(offsetMs - this.#offsetMs) > Math.max(100, answeredMs - askedMs)) this.#offsetMs = offsetMs;
  }

  /** Returns the time of the reader's own clock. */
  ownMs(): number {
    return this.#nowMs();
  }
}
