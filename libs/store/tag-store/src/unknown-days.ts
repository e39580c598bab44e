import { ABSENT } from './typed-list.ts';

/**
 * Maximum (series, day) pairs without a definition that a partition remembers. It is a constant, because the remembered
 * pairs are part of the state, and the state must be a function of the log.
 */
export const MAX_UNKNOWN_DAYS = 1_000_000;

/**
 * Days of series without a definition: it was in a skipped record, or all days that the series had have expired. When a later
 * record defines the series, these days are still known.
 */
export class UnknownDays {
  readonly #days = new Map<string, number[]>();
  #count = 0;
  /** Pairs that were dropped at the limit. */
  dropped = 0;

  get count(): number {
    return this.#count;
  }

  /** Remembers a pair; true when it is new and within the limit. */
  add(id: Uint8Array, day: number): boolean {
    const key = keyOf(id);
    const days = this.#days.get(key);
    if (days !== undefined && days.indexOf(day) !== ABSENT) return false;
    if (this.#count >= MAX_UNKNOWN_DAYS) {
      this.dropped++;
      return false;
    }
    if (days === undefined) this.#days.set(key, [day]);
    else days.push(day);
    this.#count++;
    return true;
  }

  /** Removes the pairs of days before `day` and returns them. */
  takeBefore(day: number): { readonly id: Buffer; readonly day: number }[] {
    const taken: { id: Buffer; day: number }[] = [];
    for (const [key, days] of this.#days) {
      const kept = days.filter((one) => one >= day);
      if (kept.length === days.length) continue;
      for (const one of days) if (one < day) taken.push({ id: Buffer.from(key, 'latin1'), day: one });
      if (kept.length === 0) this.#days.delete(key);
      else this.#days.set(key, kept);
    }
    this.#count -= taken.length;
    return taken;
  }

  /** Removes a series and returns its days, ascending: a store that was opened again has them in the order of its keys. */
  take(id: Uint8Array): readonly number[] {
    if (this.#count === 0) return [];
    const key = keyOf(id);
    const days = this.#days.get(key) ?? [];
    this.#days.delete(key);
    this.#count -= days.length;
    return [...days].sort((a, b) => a - b);
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}
