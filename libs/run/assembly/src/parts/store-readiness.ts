import type { StoreProblem } from '@tidemark/store-workers';

/**
 * Readiness of a process of stores: each of its partitions has caught up with the log once, none is halted, and each
 * can be committed. A log that is unreachable for a while changes nothing: queries see how far each store is.
 */
export class StoreReadiness {
  readonly #behind: Set<string>;
  readonly #owned: number;
  readonly #halted = new Map<string, string>();
  readonly #unwritable = new Map<string, string>();

  /** `parts` are the partitions that the process owns, such as `points/3`. */
  constructor(parts: readonly string[]) {
    this.#behind = new Set(parts);
    this.#owned = parts.length;
  }

  caughtUp(part: string): void {
    this.#behind.delete(part);
  }

  /** Records why a partition is halted; without a reason it has resumed. */
  halted(part: string, reason: string | undefined): void {
    if (reason === undefined) this.#halted.delete(part);
    else this.#halted.set(part, reason);
  }

  /** Records why a partition cannot be committed; without a problem it can. */
  failing(part: string, problem: StoreProblem | undefined): void {
    if (problem?.during === 'commit') this.#unwritable.set(part, problem.message);
    else this.#unwritable.delete(part);
  }

  /** The most severe reason why the process is not ready; undefined when it is. */
  get notReady(): string | undefined {
    for (const [part, reason] of this.#unwritable) return `${part} can't be committed: ${reason}`;
    for (const [part, reason] of this.#halted) return `${part} is halted: ${reason}`;
    for (const part of this.#behind)
      return `catching up: ${this.#behind.size} of ${this.#owned} partitions, such as ${part}`;
    return undefined;
  }
}
