import type { Incarnation } from '@tidemark/simulation';
import type { Wrap } from './snapshot-world.ts';

/** Ends the process at its operation number `at`, from 0: before its effect, or after it and before its result. */
export class KillAt {
  readonly #at: number;
  readonly #isAfter: boolean;
  count = 0;

  constructor(at: number, isAfter: boolean) {
    this.#at = at;
    this.#isAfter = isAfter;
  }

  /** Wraps an object store or a disk, and the files that the disk opens. */
  readonly wrap: Wrap = <T extends object>(part: T, incarnation: Incarnation): T =>
    new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function' || name === 'then') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          const isThis = this.count++ === this.#at;
          if (isThis && !this.#isAfter) incarnation.end();
          const settled = Promise.resolve(Reflect.apply(member, target, args));
          await settled.catch(() => undefined);
          if (isThis) incarnation.end();
          // Of an ended process nothing settles.
          if (!incarnation.alive) return new Promise(() => undefined);
          return name === 'open' ? this.wrap((await settled) as object, incarnation) : settled;
        };
      },
    });
}
