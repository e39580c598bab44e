/** A partition's part of a shared budget. */
export interface BudgetMember {
  /** Bytes that it may have in any case. */
  readonly shareBytes: number;
  /** Bytes that it has. */
  readonly bytes: number;
  /** Gives back the oldest part of what it has. */
  evict(): void;
}

/**
 * The bytes of the newest pages of all partitions of a thread. What some of them don't use, the others may: the series of
 * one large metric are all in one partition.
 */
export class RecentBudget {
  readonly #members = new Set<BudgetMember>();

  join(member: BudgetMember): void {
    this.#members.add(member);
  }

  leave(member: BudgetMember): void {
    this.#members.delete(member);
  }

  /** Takes from those that have more than their share, the most first, until all together have no more than their shares. */
  settle(): void {
    for (;;) {
      let excess = 0;
      let largest: BudgetMember | undefined;
      for (const member of this.#members) {
        const own = member.bytes - member.shareBytes;
        excess += own;
        if (largest === undefined || own > largest.bytes - largest.shareBytes) largest = member;
      }
      if (largest === undefined || excess <= 0) return;
      largest.evict();
    }
  }
}
