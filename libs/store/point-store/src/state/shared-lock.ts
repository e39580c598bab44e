/** A lock for many readers or one writer, in order of arrival; a waiting writer has priority over later readers. */
export class SharedLock {
  #readers = 0;
  #isWriting = false;
  readonly #waiting: { readonly isWriter: boolean; readonly start: () => void }[] = [];

  /** Whether a writer waits until the readers have ended. */
  get isWriterWaiting(): boolean {
    return this.#waiting[0]?.isWriter === true;
  }

  async read<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter(false);
    try {
      return await work();
    } finally {
      this.#readers--;
      this.#next();
    }
  }

  async write<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter(true);
    try {
      return await work();
    } finally {
      this.#isWriting = false;
      this.#next();
    }
  }

  #enter(isWriter: boolean): Promise<void> {
    return new Promise((start) => {
      this.#waiting.push({ isWriter, start });
      this.#next();
    });
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#isWriting || (first.isWriter && this.#readers > 0)) return;
      this.#waiting.shift();
      if (first.isWriter) this.#isWriting = true;
      else this.#readers++;
      first.start();
    }
  }
}
