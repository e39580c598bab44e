/** Why a process does not serve yet, or no longer: `starting`, then the reason of `set`, finally `leaving`. */
export class Readiness {
  #reason: () => string | undefined = () => 'starting';
  #isLeaving = false;

  /** The reason now; undefined while the process is ready. */
  get notReady(): string | undefined {
    return this.#isLeaving ? 'leaving' : this.#reason();
  }

  /** Sets the function that gives the reason from now on. */
  set(reason: () => string | undefined): void {
    this.#reason = reason;
  }

  /** Marks the process as stopping: no later `set` makes it ready again. */
  leave(): void {
    this.#isLeaving = true;
  }
}
