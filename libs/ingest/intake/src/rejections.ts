import type { Rejection } from '@tidemark/contract';

/** Counts of points that were left out, by reason, with the field and the limit that each broke. */
export class Rejections {
  readonly #byReason = new Map<string, Rejection>();

  add(reason: string, field: string, limit: string, points = 1): void {
    const known = this.#byReason.get(reason);
    if (known !== undefined) {
      known.points += points;
      return;
    }
    this.#byReason.set(reason, { reason, field, limit, points, message: `${field}: ${reason} (limit: ${limit})` });
  }

  get list(): Rejection[] {
    return [...this.#byReason.values()];
  }

  get points(): number {
    let sum = 0;
    for (const { points } of this.#byReason.values()) sum += points;
    return sum;
  }
}
