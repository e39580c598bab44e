import type { DefinitionsResult } from '@tidemark/contract';
import { PASSING_REASONS } from './passing-reasons.ts';
import { refsKey } from './session-spool.ts';

const NONE: ReadonlySet<number> = new Set();

/** The refs that were defined on one stream, and those that its intake has refused and another one might not. */
export class SentDefinitions {
  readonly #counts = new Map<string, number>();
  readonly #refused = new Map<string, Set<number>>();

  /** Refs that were defined, which is the next ref. */
  count(epoch: number, partition: number): number {
    return this.#counts.get(refsKey(epoch, partition)) ?? 0;
  }

  add(epoch: number, partition: number, refs: number): void {
    this.#counts.set(refsKey(epoch, partition), this.count(epoch, partition) + refs);
  }

  /** Takes over what the intake refuses. Refs that were not defined change nothing. */
  refuse({ mapEpoch, partition, refused }: DefinitionsResult): void {
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
