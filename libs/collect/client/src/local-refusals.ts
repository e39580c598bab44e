import type { LocalRefusal } from '@tidemark/contract';

/** Bounds of a report: an intake keeps no more. */
const MAX_REASONS = 64;
const EXAMPLE_CHARACTERS = 200;
const OTHER = 'other';

/**
 * What a client, or the program around it, refused or dropped before it was sent: counts by reason, with the first
 * example of each. client.test.ts covers it.
 */
export class LocalRefusals {
  readonly #byReason = new Map<string, { count: number; readonly example: string }>();

  /** Lines, values or points of all reasons. */
  points = 0;

  add(reason: string, count: number, example: string): void {
    this.points += count;
    if (count === 0) return;
    const key = this.#byReason.has(reason) || this.#byReason.size < MAX_REASONS - 1 ? reason : OTHER;
    const known = this.#byReason.get(key);
    if (known !== undefined) known.count += count;
    else this.#byReason.set(key, { count, example: example.slice(0, EXAMPLE_CHARACTERS) });
  }

  addAll(all: readonly LocalRefusal[]): void {
    for (const { reason, count, example } of all) this.add(reason, count, example);
  }

  get list(): LocalRefusal[] {
    return [...this.#byReason].map(([reason, { count, example }]) => ({ reason, count, example }));
  }
}
