import type { DayMetric } from './calendar.ts';
import { dayKey } from './store-layout.ts';

/** The stored parts of days that have expired, of which each commit deletes some. */
export class ExpiredDays {
  readonly #days: { readonly day: number; readonly rest: Iterator<DayMetric> }[] = [];

  /** Adds a day that has expired, with the metrics whose parts are stored. */
  add(day: number, metrics: Iterable<DayMetric>): void {
    this.#days.push({ day, rest: metrics[Symbol.iterator]() });
  }

  /** Takes up to `count` keys of a generation to delete. Those of days that are seen again are left out. */
  *take(generation: number, count: number): Generator<Uint8Array> {
    for (let taken = 0; taken < count && this.#days.length > 0; taken++) {
      const [{ day, rest }] = this.#days;
      const next = rest.next();
      if (next.done === true) this.#days.shift();
      else if (!next.value.hasDay(day)) yield dayKey(generation, next.value.index, day);
    }
  }
}
