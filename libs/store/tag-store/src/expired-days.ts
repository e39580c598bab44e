import type { DayMetric } from './calendar.ts';
import { dayKey } from './store-layout.ts';

/** The stored parts of days that have expired, of which each commit deletes some. */
export class ExpiredDays {
  readonly #days: { readonly day: number; readonly metrics: Iterable<DayMetric>; rest: Iterator<DayMetric> }[] = [];

  /** Adds a day that has expired, with the metrics whose parts are stored. */
  add(day: number, metrics: Iterable<DayMetric>): void {
    this.#days.push({ day, metrics, rest: metrics[Symbol.iterator]() });
  }

  /** Takes up to `count` keys to delete. Those of days that are seen again are left out. */
  *take(count: number): Generator<Uint8Array> {
    for (let taken = 0; taken < count && this.#days.length > 0; taken++) {
      const [{ day, rest }] = this.#days;
      const next = rest.next();
      if (next.done === true) this.#days.shift();
      else if (!next.value.hasDay(day)) yield dayKey(next.value.index, day);
    }
  }

  /** All keys, also those that were taken while their day is not done, and those of days that are seen again. */
  *all(): Generator<Uint8Array> {
    for (const { day, metrics } of this.#days) for (const { index } of metrics) yield dayKey(index, day);
  }
}
