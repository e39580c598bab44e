/** Why a promise that belongs to a crashed process ends, for those outside of it. */
export class ProcessCrashed extends Error {
  constructor(name: string) {
    super(`process ${name} has crashed`);
    this.name = 'ProcessCrashed';
  }
}

/**
 * One run of a process, from its start to its crash. Whatever a process may act through (timers, files, stores,
 * connections) is handed to it bound to its incarnation, and does nothing once that is over: what is asynchronous never
 * settles, as nothing settles in a process that is gone, and the rest has no effect. Code of a dead process that is still
 * on the stack or in a microtask may go on computing, and reaches nobody.
 */
export class Incarnation {
  /** Node and run, e.g. `store-1#3`. */
  readonly id: string;
  readonly name: string;
  readonly #atEnd = new Set<() => void>();
  #alive = true;

  constructor(name: string, run = 1) {
    this.name = name;
    this.id = `${name}#${run}`;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /**
   * Inside an operation of this process, after a wait: throws when the process has ended meanwhile, so that the operation
   * has no effect. The error reaches nobody, as `guard` lets nothing out of a process that has ended.
   */
  assertAlive(): void {
    if (!this.#alive) throw new ProcessCrashed(this.id);
  }

  /** Runs `task` when the process ends; returns how to take that back. */
  atEnd(task: () => void): () => void {
    this.#atEnd.add(task);
    return () => this.#atEnd.delete(task);
  }

  /** Ends the process; whatever is bound to it is dead when this returns. */
  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const task of this.#atEnd) task();
    this.#atEnd.clear();
  }

  /** The promise of an operation of this process: it settles as `operation` does, unless the process ends before. */
  guard<T>(operation: () => Promise<T>): Promise<T> {
    if (!this.#alive) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      operation().then(
        (value) => {
          if (this.#alive) resolve(value);
        },
        (error) => {
          if (this.#alive) reject(error);
        },
      );
    });
  }

  /** For callers outside of the process: settles as `promise` does, or rejects with ProcessCrashed when it ends. */
  orCrash<T>(promise: Promise<T>): Promise<T> {
    if (!this.#alive) return Promise.reject(new ProcessCrashed(this.id));
    return new Promise((resolve, reject) => {
      const forget = this.atEnd(() => reject(new ProcessCrashed(this.id)));
      promise.then(resolve, reject).finally(forget);
    });
  }
}
