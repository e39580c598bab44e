/**
 * A callback that the program gave to the client. An exception that it throws, or a promise of it that rejects, is
 * counted and does not reach the client. Calls that it causes itself are left out, so that it cannot recurse.
 */
export class ProgramCallback<T> {
  readonly #callback: ((value: T) => unknown) | undefined;
  #isRunning = false;
  #failures = 0;

  constructor(callback: ((value: T) => unknown) | undefined) {
    this.#callback = callback;
  }

  /** Calls that threw or rejected. */
  get failures(): number {
    return this.#failures;
  }

  call(value: T): void {
    if (this.#callback === undefined || this.#isRunning) return;
    this.#isRunning = true;
    try {
      const result = this.#callback(value);
      // An async callback: its rejection would end the process as unhandled.
      if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(() => this.#failures++);
    } catch {
      this.#failures++;
    } finally {
      this.#isRunning = false;
    }
  }
}
