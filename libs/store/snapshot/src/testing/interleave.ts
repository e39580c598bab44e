import type { ObjectPage, ObjectStore } from '@tidemark/ports';
import type { Wrap } from './snapshot-world.ts';

/** Stops a process before one of its operations, until the test opens it. */
export class Gate {
  readonly #isThis: (method: string, argument: string) => boolean;
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  isReached = false;

  /** `isThis` is of the method and its first argument: a key or a prefix. */
  constructor(isThis: (method: string, argument: string) => boolean) {
    this.#isThis = isThis;
  }

  open(): void {
    this.#open();
  }

  readonly wrap: Wrap = (part) =>
    replaced(part, async (method, args, call) => {
      if (this.#isThis(method, String(args[0]))) {
        this.isReached = true;
        await this.#opened;
      }
      return call();
    });
}

/**
 * Runs `meanwhile` during list number `count`, from 1, of `prefix`. What is put or deleted meanwhile is not in the list, as the
 * port allows.
 */
export function listDuring(prefix: string, count: number, meanwhile: () => Promise<void>): Wrap {
  let lists = 0;
  return (part) =>
    replaced(part, async (method, args, call) => {
      const result = await call();
      if (method !== 'list' || args[0] !== prefix || ++lists !== count) return result;
      await meanwhile();
      const after = new Set(((await call()) as ObjectPage).objects.map(({ key }) => key));
      return { objects: (result as ObjectPage).objects.filter(({ key }) => after.has(key)) };
    });
}

type Replace = (method: string, args: readonly unknown[], call: () => Promise<unknown>) => Promise<unknown>;

function replaced<T extends object>(part: T, replace: Replace): T {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function' || !('putStream' in (target as Partial<ObjectStore>))) {
        return typeof member === 'function' ? member.bind(target) : member;
      }
      return (...args: unknown[]) => replace(String(name), args, async () => Reflect.apply(member, target, args));
    },
  });
}
