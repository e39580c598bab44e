import type { Clock } from '@tidemark/ports';

/** Wakes one waiting loop. A signal raised while the loop is busy is kept for the next wait. */
export class WakeSignal {
  readonly #clock: Clock;
  #raised = false;
  #resume: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  raise(): void {
    this.#raised = true;
    this.#resume?.();
  }

  /** Resolves at the next signal, or after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.#raised) {
      await new Promise<void>((resolve) => {
        const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : this.#clock.setTimer(timeoutMs, resolve);
        this.#resume = () => {
          timer?.cancel();
          resolve();
        };
      });
      this.#resume = undefined;
    }
    this.#raised = false;
  }
}
