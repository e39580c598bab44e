import { assert, TidemarkError } from '@tidemark/ports';

/**
 * A component that is created after the process starts listening. Until then `part` throws `unavailable`, so callers
 * retry.
 */
export class Pending<T> {
  readonly #what: string;
  #part: T | undefined;

  /** `what` names the component in the error: `the intake`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** The component, or undefined before `set`. */
  get ifSet(): T | undefined {
    return this.#part;
  }

  /** The component. Throws `unavailable` before `set`. */
  get part(): T {
    if (this.#part === undefined) throw new TidemarkError('unavailable', `${this.#what} is starting`);
    return this.#part;
  }

  set(part: T): void {
    assert(this.#part === undefined, `${this.#what} is set once`);
    this.#part = part;
  }
}
