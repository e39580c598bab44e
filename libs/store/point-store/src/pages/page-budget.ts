/** A partition's part of a shared budget. */
export interface BudgetMember {
  /** What it has was read for queries, and can be read again: nothing that is not a cache is evicted for it. */
  readonly isCache: boolean;
  /** Bytes that it may have in any case. */
  readonly shareBytes: number;
  /** Bytes that it has. */
  readonly bytes: number;
  /** Gives back the oldest part of what it has. */
  evict(): void;
}

/**
 * The bytes of the pages that all partitions of a thread have in RAM. What some of them don't use, the others may: the
 * series of one large metric are all in one partition. The newest pages may not use the share of caches: a query of old
 * buckets would take it back, and with it a whole bucket, the newest one in the worst case.
 */
export class PageBudget {
  readonly #newest = new Set<BudgetMember>();
  readonly #caches = new Set<BudgetMember>();

  join(member: BudgetMember): void {
    this.#of(member).add(member);
  }

  leave(member: BudgetMember): void {
    this.#of(member).delete(member);
  }

  /**
   * Takes from those that have more than their share, the most first, until all together have no more than their shares:
   * first of those that are not caches, then of all, from caches.
   */
  settle(): void {
    const excess = settleAmong(this.#newest, 0);
    settleAmong(this.#caches, excess);
  }

  #of({ isCache }: BudgetMember): Set<BudgetMember> {
    return isCache ? this.#caches : this.#newest;
  }
}

/** Evicts until these members, and others with that excess, have no more than their shares. Returns the excess of all. */
function settleAmong(members: ReadonlySet<BudgetMember>, others: number): number {
  for (;;) {
    let excess = others;
    let largest: BudgetMember | undefined;
    for (const one of members) {
      excess += excessOf(one);
      if (one.bytes > 0 && (largest === undefined || excessOf(one) > excessOf(largest))) largest = one;
    }
    if (largest === undefined || excess <= 0) return excess;
    largest.evict();
  }
}

function excessOf({ bytes, shareBytes }: BudgetMember): number {
  return bytes - shareBytes;
}
