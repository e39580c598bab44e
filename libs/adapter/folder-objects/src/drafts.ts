import { toHex } from '@tidemark/bytes';
import type { Disk, Random } from '@tidemark/ports';
import type { FileLocks } from './writer-lock.ts';

const FOLDER = 'drafts';
const OWNER_BYTES = 8;

/** The names of unfinished files of one opened store, which a crash leaves and the next opening removes. */
export class Drafts {
  readonly #owner: string;
  readonly #lock: { release(): void };
  #count = 0;

  private constructor(owner: string, lock: { release(): void }) {
    this.#owner = owner;
    this.#lock = lock;
  }

  /**
   * Removes the drafts of owners that have ended, and locks a name for the own ones. Run it under the writer lock: a store
   * that another process opens at the same time has a name before it has its lock.
   */
  static async open(disk: Disk, locks: FileLocks, random: Random): Promise<Drafts> {
    await removeLeftovers(disk, locks);
    // The folder of the lock must exist before it.
    const owner = toHex(random.bytes(OWNER_BYTES));
    const file = await disk.open(lockOf(owner), { create: true });
    await file.close();
    const lock = locks.tryLock(lockOf(owner));
    if (lock === 'held') throw new Error(`the random name ${owner} is taken`);
    return new Drafts(owner, lock);
  }

  /** A new path for a draft. */
  next(): string {
    return `${FOLDER}/${this.#owner}-${this.#count++}`;
  }

  async close(disk: Disk): Promise<void> {
    this.#lock.release();
    await disk.remove(lockOf(this.#owner));
  }
}

async function removeLeftovers(disk: Disk, locks: FileLocks): Promise<void> {
  const names = await disk.list(FOLDER);
  for (const owner of new Set(names.map((name) => name.split(/[-.]/)[0]))) {
    const lock = locks.tryLock(lockOf(owner));
    if (lock === 'held') continue;
    lock.release();
    for (const name of names) if (name.split(/[-.]/)[0] === owner) await disk.remove(`${FOLDER}/${name}`);
    await disk.remove(lockOf(owner));
  }
}

function lockOf(owner: string): string {
  return `${FOLDER}/${owner}.lock`;
}
