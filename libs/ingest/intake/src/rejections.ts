import type { Rejection } from '@tidemark/contract';
import { printable } from '@tidemark/model/safe-text';
import type { TidemarkError } from '@tidemark/ports';

/** Why data is refused: a stable word, and the field and the limit that it violates. */
export interface Refusal {
  readonly reason: string;
  readonly field: string;
  readonly limit: string;
  /** Metric of the first refused series, where it is known. */
  readonly firstMetric?: string;
}

/** Characters of a metric's name in a message. */
const SHOWN_CHARACTERS = 100;

/** Returns the refusal in the detail of an error about bad input in a series of `firstMetric`. */
export function refusalOf({ detail }: TidemarkError, firstMetric: string): Refusal {
  const { reason, field, limit } = detail;
  return { reason: String(reason), field: String(field), limit: String(limit), firstMetric };
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
    const suffix = example === undefined ? '' : `, for example ${printable(example)}`;
    const message = `${field}: ${reason} (limit: ${limit})${suffix}`;
    this.#byReason.set(reason, { reason, field, limit, points, message });
  }

  /** Counts the points of others; the messages of the first stay. */
  addAll(others: Rejections): void {
    for (const other of others.list) {
      const known = this.#byReason.get(other.reason);
      if (known === undefined) this.#byReason.set(other.reason, { ...other });
      else known.points += other.points;
    }
  }

  /** Returns true when points were counted under a reason: another example of it is not needed. */
  has(reason: string): boolean {
    return this.#byReason.has(reason);
  }

  /** Counts one point of a refused series. */
  refuse({ reason, field, limit, firstMetric }: Refusal): void {
    const known = this.reasons;
    this.add(reason, field, limit);
    this.nameSince(known, firstMetric);
  }

  /** Number of reasons. */
  get reasons(): number {
    return this.#byReason.size;
  }

  /** If there was a new reason since there were `known`, adds the metric of its first point to its message. */
  nameSince(known: number, metric: string | undefined): void {
    if (this.reasons === known) return;
    const latest = [...this.#byReason.values()].at(-1);
    if (metric === undefined || metric === '' || latest === undefined) return;
    const shown = metric.length > SHOWN_CHARACTERS ? `${metric.slice(0, SHOWN_CHARACTERS)}…` : metric;
    latest.message += `; first in ${printable(shown)}`;
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
