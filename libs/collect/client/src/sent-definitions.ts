import type { DefinitionsResult } from '@tidemark/contract';
import { PASSING_REASONS } from './passing-reasons.ts';
import { refsKey } from './session-spool.ts';

const NONE: ReadonlySet<number> = new Set();

/**
 * The refs that were defined on one stream, and those that its intake has refused and another one might not. Messages are
 * answered in their order.
 */
export class SentDefinitions {
  readonly #counts = new Map<string, number>();
  readonly #refused = new Map<string, Set<number>>();
  readonly #answered = new Map<string, number>();
  /** Messages without an answer, the oldest first: refs, the ref after the last, and when it was sent, monotonic ms. */
  readonly #messages: { readonly key: string; readonly refs: number; readonly end: number; readonly sentMs: number }[] =
    [];
  /** Refs without an answer. */
  unanswered = 0;

  /** When the oldest message without an answer was sent, monotonic ms; Infinity when there is none. */
  get unansweredSinceMs(): number {
    return this.#messages[0]?.sentMs ?? Number.POSITIVE_INFINITY;
  }

  /** True when the intake has answered the first `refs` refs: it is known which of them it refuses. */
  isAnswered(epoch: number, partition: number, refs: number): boolean {
    return this.answeredRefs(epoch, partition) >= refs;
  }

  /** How many refs the intake has answered, from the first one on. */
  answeredRefs(epoch: number, partition: number): number {
    return this.#answered.get(refsKey(epoch, partition)) ?? 0;
  }

  /** Refs that were defined, which is the next ref. */
  count(epoch: number, partition: number): number {
    return this.#counts.get(refsKey(epoch, partition)) ?? 0;
  }

  /** Adds a message that was sent at `sentMs`, monotonic. */
  add(epoch: number, partition: number, refs: number, sentMs: number): void {
    const key = refsKey(epoch, partition);
    const end = this.count(epoch, partition) + refs;
    this.#counts.set(key, end);
    this.#messages.push({ key, refs, end, sentMs });
    this.unanswered += refs;
  }

  /** Takes over the answer to the oldest message: what the intake refuses. Refs that were not defined change nothing. */
  answered({ mapEpoch, partition, refused }: DefinitionsResult): void {
    const first = this.#messages.shift();
    if (first !== undefined) {
      this.#answered.set(first.key, first.end);
      this.unanswered -= first.refs;
    }
    const key = refsKey(mapEpoch, partition);
    for (const { ref, rejection } of refused) {
      if (rejection === undefined || !PASSING_REASONS.has(rejection.reason)) continue;
      if (ref >= this.count(mapEpoch, partition)) continue;
      const refs = this.#refused.get(key) ?? new Set();
      this.#refused.set(key, refs.add(ref));
    }
  }

  refused(epoch: number, partition: number): ReadonlySet<number> {
    return this.#refused.get(refsKey(epoch, partition)) ?? NONE;
  }
}
