/** The error with which promises of a crashed process reject for callers outside of it. */
export class ProcessCrashed extends Error {
  constructor(name: string) {
    super(`process ${name} has crashed`);
    this.name = 'ProcessCrashed';
  }
}

/**
 * One run of a process, from its start to its crash. Everything through which a process acts (timers, files, stores,
 * connections) is bound to its incarnation, and has no effect after its end: asynchronous operations never settle, as
 * in a process that has ended, and the others do nothing. Code of an ended process that is still on the stack or in a
 * microtask may continue to compute, without any effect.
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
   * Throws when the process has ended. Operations of this process call it after a wait, so that they have no effect
   * after the end. No code receives the error: `guard` settles nothing of a process that has ended.
   */
  assertAlive(): void {
    if (!this.#alive) throw new ProcessCrashed(this.id);
  }

  /** Runs `task` when the process ends. Returns a function that cancels this. */
  atEnd(task: () => void): () => void {
    this.#atEnd.add(task);
    return () => this.#atEnd.delete(task);
  }

  /** Ends the process. When this returns, everything bound to it has no effect. */
  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const task of this.#atEnd) task();
    this.#atEnd.clear();
  }

  /** Runs an operation of this process. The promise settles as `operation` does, unless the process ends before. */
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

  /** Settles as `promise` does, or rejects with ProcessCrashed when the process ends; for callers outside of it. */
  orCrash<T>(promise: Promise<T>): Promise<T> {
    if (!this.#alive) return Promise.reject(new ProcessCrashed(this.id));
    return new Promise((resolve, reject) => {
      const forget = this.atEnd(() => reject(new ProcessCrashed(this.id)));
      promise.then(resolve, reject).finally(forget);
    });
  }
}
