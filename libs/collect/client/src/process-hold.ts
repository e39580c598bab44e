/** Keeps the process alive while at least one piece of work is in progress. client.test.ts covers it. */
export class ProcessHold {
  readonly #hold: (() => () => void) | undefined;
  #works = 0;
  #release: (() => void) | undefined;

  constructor(hold: (() => () => void) | undefined) {
    this.#hold = hold;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#works++ === 0) this.#release = this.#hold?.();
    try {
      return await work();
    } finally {
      if (--this.#works === 0) this.#release?.();
    }
  }
}
