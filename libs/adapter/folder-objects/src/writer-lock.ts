import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { lockByKernel } from '@tidemark/node-runtime';
import { type Clock, messageOf, type Random, Slots, sleep, TidemarkError } from '@tidemark/ports';

/** Locks of files that exclude other processes, and end with the process that has them. */
export interface FileLocks {
  /** Locks a file of the folder at once, or returns `held` when this or another process has it. */
  tryLock(path: string): { release(): void } | 'held';
}

/** Locks of the operating system on files of `folder`. */
export function kernelLocks(folder: string): FileLocks {
  return {
    tryLock(path) {
      const lock = lockByKernel(join(folder, path));
      if (lock !== undefined) return lock;
      requireWritable(folder);
      const message = `cannot lock ${join(folder, path)}: use a local file system, which has locks on files`;
      throw new TidemarkError('failed_precondition', message, { folder });
    },
  };
}

/** Throws `permission_denied` for a folder in which this process can't make a lock, such as one that is mounted read-only. */
function requireWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const message = `cannot write to the object folder ${folder}: ${messageOf(error)}`;
    throw new TidemarkError('permission_denied', message, { folder }, { cause: error });
  }
}

const FILE = 'LOCK';
/** Another process holds the lock for a rename and two syncs; one that is stopped may hold it longer. */
const WAIT_MS = 30_000;
const MAX_PAUSE_MS = 20;

/** Lets one writer at a time change names of the folder, of all processes that use it. */
export class WriterLock {
  readonly #locks: FileLocks;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #own = new Slots(1);

  constructor(locks: FileLocks, clock: Clock, random: Random) {
    this.#locks = locks;
    this.#clock = clock;
    this.#random = random;
  }

  /** Runs `task` alone. `unavailable` when other processes have the lock for 30 s; throws the reason of `signal`. */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#own.run(async () => {
      const lock = await this.#acquire(signal);
      try {
        return await task();
      } finally {
        lock.release();
      }
    }, signal);
  }

  async #acquire(signal?: AbortSignal): Promise<{ release(): void }> {
    const untilMs = this.#clock.monotonicMs() + WAIT_MS;
    for (;;) {
      const lock = this.#locks.tryLock(FILE);
      if (lock !== 'held') return lock;
      if (this.#clock.monotonicMs() > untilMs) {
        const message = `another process has ${FILE} of the object folder for ${WAIT_MS} ms; look for one that is stopped`;
        throw new TidemarkError('unavailable', message, { waitMs: WAIT_MS });
      }
      await sleep(this.#clock, 1 + this.#random.next() * MAX_PAUSE_MS, signal);
      signal?.throwIfAborted();
    }
  }
}
