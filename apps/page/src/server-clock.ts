/**
 * The server's clock, as far as its answers tell: a reader's own may be off by minutes, and «2.1 s ago» must not be.
 * Until the first answer it is the reader's.
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

  /** An answer says that the server's clock was `serverMs`; it was asked at `askedMs` by the reader's own clock. */
  observe(serverMs: number, askedMs: number): void {
    const answeredMs = this.#nowMs();
    if (serverMs <= 0) return;
    const offsetMs = serverMs - (askedMs + answeredMs) / 2;
    // Half the round trip is all that is known; a smaller correction would be noise that moves every graph.
    if (Math.abs(offsetMs - this.#offsetMs) > Math.max(100, answeredMs - askedMs)) this.#offsetMs = offsetMs;
  }

  /** The reader's own clock. */
  ownMs(): number {
    return this.#nowMs();
  }
}
