/** Why a process does not serve yet, or no longer: `starting`, then what `set` was given, at last `leaving`. */
export class Readiness {
  #reason: () => string | undefined = () => 'starting';
  #isLeaving = false;

  /** The reason now; undefined while the process is ready. */
  get notReady(): string | undefined {
    return this.#isLeaving ? 'leaving' : this.#reason();
  }

  /** Asks `reason` from now on. */
  set(reason: () => string | undefined): void {
    this.#reason = reason;
  }

  /** The process is stopping: no later `set` makes it ready again. */
  leave(): void {
    this.#isLeaving = true;
  }
}
