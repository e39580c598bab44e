import { assert, TidemarkError } from '@tidemark/ports';

/** A part of a process that comes after the process listens: until then whoever asks for it is told to come again. */
export class Late<T> {
  readonly #what: string;
  #part: T | undefined;

  constructor(what: string) {
    this.#what = what;
  }

  get isThere(): boolean {
    return this.#part !== undefined;
  }

  /** Throws `unavailable` until `set` was called. */
  get part(): T {
    if (this.#part === undefined) throw new TidemarkError('unavailable', `${this.#what} is starting`);
    return this.#part;
  }

  set(part: T): void {
    assert(this.#part === undefined, `${this.#what} is set once`);
    this.#part = part;
  }
}
