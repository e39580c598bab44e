import type { FileLocks } from '../writer-lock.ts';

/** Locks of the files of a simulated disk. `endProcesses` releases all of them, as the end of their processes does. */
export class SimulatedLocks implements FileLocks {
  #held = new Map<string, object>();

  tryLock(path: string): { release(): void } | 'held' {
    if (this.#held.has(path)) return 'held';
    const owner = {};
    const held = this.#held;
    held.set(path, owner);
    return {
      release() {
        if (held.get(path) === owner) held.delete(path);
      },
    };
  }

  endProcesses(): void {
    this.#held = new Map();
  }
}
