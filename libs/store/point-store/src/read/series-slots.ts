import type { FoundSlot } from './found-slot.ts';

/** What a range depends on of one series. */
export interface SeriesRange {
  readonly fromMs: number;
  readonly toMs: number;
  /** Points that are needed on each side of [fromMs, toMs). */
  readonly context: number;
  /** All points since then are needed, however many: at or before `fromMs`. */
  readonly neededSinceMs: number;
}

/** The slots of one series: those that were found, and after `pick` those of them that an answer depends on. */
export class SeriesSlots {
  readonly #found: FoundSlot[] = [];
  /** The slots that the range depends on, once `pick` has been called. */
  picked: readonly FoundSlot[] | undefined;
  /** All points from `sinceMs` to `untilMs` are in the picked slots, or were not committed yet. */
  sinceMs = 0;
  untilMs = 0;
  /** Some slots before the range, or after it, were found and not picked. */
  leavesOlder = false;
  leavesNewer = false;

  add(slot: FoundSlot): void {
    this.#found.push(slot);
    this.picked = undefined;
  }

  /** Returns the slots that the range depends on. */
  pick(range: SeriesRange): readonly FoundSlot[] {
    this.picked = this.#pickOf(range);
    return this.picked;
  }

  #pickOf(range: SeriesRange): readonly FoundSlot[] {
    const { fromMs, toMs, context } = range;
    const found = this.#found;
    if (found.every(({ minTimeMs, maxTimeMs }) => minTimeMs >= fromMs && maxTimeMs < toMs)) {
      this.sinceMs = context === 0 ? fromMs : Number.NEGATIVE_INFINITY;
      this.untilMs = context === 0 ? toMs : Number.POSITIVE_INFINITY;
      this.leavesOlder = false;
      this.leavesNewer = false;
      return found;
    }
    for (const one of found) one.isPicked = one.maxTimeMs >= fromMs && one.minTimeMs < toMs;
    this.sinceMs = context === 0 ? fromMs : this.#pickBefore(range);
    this.untilMs = context === 0 ? toMs : this.#pickAfter(range);
    this.leavesOlder = false;
    this.leavesNewer = false;
    let picked = 0;
    for (const { isPicked, minTimeMs, maxTimeMs } of found) {
      if (isPicked) picked++;
      else if (minTimeMs < fromMs) this.leavesOlder = true;
      else if (maxTimeMs >= toMs) this.leavesNewer = true;
    }
    return picked === found.length ? found : found.filter(({ isPicked }) => isPicked);
  }

  /**
   * Picks the newest slots before the range until they have the context and all points since `neededSinceMs`; returns
   * from when on all points are known.
   */
  #pickBefore({ fromMs, context, neededSinceMs }: SeriesRange): number {
    if (!this.#found.some(({ minTimeMs }) => minTimeMs < fromMs)) return Number.NEGATIVE_INFINITY;
    const before = this.#found.filter(({ minTimeMs }) => minTimeMs < fromMs);
    let sinceMs = neededSinceMs;
    let count = 0;
    for (const one of before.sort((a, b) => b.maxTimeMs - a.maxTimeMs)) {
      if (count >= context && one.maxTimeMs < sinceMs) return sinceMs;
      one.isPicked = true;
      if (count < context) sinceMs = Math.min(sinceMs, one.minTimeMs);
      count += one.countBefore(fromMs);
    }
    return count >= context ? sinceMs : Number.NEGATIVE_INFINITY;
  }

  #pickAfter({ toMs, context }: SeriesRange): number {
    if (!this.#found.some(({ maxTimeMs }) => maxTimeMs >= toMs)) return Number.POSITIVE_INFINITY;
    const after = this.#found.filter(({ maxTimeMs }) => maxTimeMs >= toMs);
    let untilMs = toMs;
    let count = 0;
    for (const one of after.sort((a, b) => a.minTimeMs - b.minTimeMs)) {
      if (count >= context && one.minTimeMs > untilMs) return untilMs;
      one.isPicked = true;
      if (count < context) untilMs = Math.max(untilMs, one.maxTimeMs);
      count += one.count - one.countBefore(toMs);
    }
    return count >= context ? untilMs : Number.POSITIVE_INFINITY;
  }
}
