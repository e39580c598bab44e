import type { ClientOptions, ClientWarning } from './options.ts';
import { ProgramCallback } from './program-callback.ts';

/** Warnings of one client, each reported once. flush-schedule.test.ts covers it. */
export class ClientWarnings {
  readonly #given = new Map<string, ClientWarning>();
  readonly #callback: ProgramCallback<ClientWarning>;

  constructor(onWarning?: ClientOptions['onWarning']) {
    this.#callback = new ProgramCallback(onWarning);
  }

  /** Those given so far, the first one first. */
  get all(): readonly ClientWarning[] {
    return [...this.#given.values()];
  }

  /** Calls of the program's callback that failed. */
  get callbackFailures(): number {
    return this.#callback.failures;
  }

  warn(warning: ClientWarning): void {
    if (this.#given.has(warning.reason)) return;
    this.#given.set(warning.reason, warning);
    this.#callback.call(warning);
  }
}
