import type { StoreProblem } from '@tidemark/store-workers';

/**
 * Whether a process of stores does its work: each of its partitions has caught up with the log once, none is halted, and
 * each can be committed. A log that is away for a while changes nothing: queries see how far each store is.
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

  /** No reason: it goes on. */
  halted(part: string, reason: string | undefined): void {
    if (reason === undefined) this.#halted.delete(part);
    else this.#halted.set(part, reason);
  }

  /** No problem: it is over. */
  failing(part: string, problem: StoreProblem | undefined): void {
    if (problem?.during === 'commit') this.#unwritable.set(part, problem.message);
    else this.#unwritable.delete(part);
  }

  /** The worst of what keeps it from its work; undefined when nothing does. */
  get notReady(): string | undefined {
    for (const [part, reason] of this.#unwritable) return `${part} can't be committed: ${reason}`;
    for (const [part, reason] of this.#halted) return `${part} is halted: ${reason}`;
    for (const part of this.#behind)
      return `catching up: ${this.#behind.size} of ${this.#owned} partitions, such as ${part}`;
    return undefined;
  }
}
