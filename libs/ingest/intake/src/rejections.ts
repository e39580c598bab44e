import type { Rejection } from '@tidemark/contract';
import type { TidemarkError } from '@tidemark/ports';

/** Why data is refused: a stable word, and the field and the limit that it violates. */
export interface Refusal {
  readonly reason: string;
  readonly field: string;
  readonly limit: string;
}

/** Returns the refusal in the detail of an error about bad input. */
export function refusalOf({ detail }: TidemarkError): Refusal {
  return { reason: String(detail.reason), field: String(detail.field), limit: String(detail.limit) };
}

/** Counts of refused points, by reason, with the field and the limit that each violates. */
export class Rejections {
  readonly #byReason = new Map<string, Rejection>();

  /** Counts points. The message has the example of the first ones. */
  add(reason: string, field: string, limit: string, points = 1, example?: string): void {
    const known = this.#byReason.get(reason);
    if (known !== undefined) {
      known.points += points;
      return;
    }
    const suffix = example === undefined ? '' : `, for example ${example}`;
    const message = `${field}: ${reason} (limit: ${limit})${suffix}`;
    this.#byReason.set(reason, { reason, field, limit, points, message });
  }

  /** Returns true when points were counted under a reason: another example of it is not needed. */
  has(reason: string): boolean {
    return this.#byReason.has(reason);
  }

  /** Counts one point of a refused series. */
  refuse({ reason, field, limit }: Refusal): void {
    this.add(reason, field, limit);
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
