import type { StatedIntervals } from '@tidemark/model';
import type { SeriesIntervals } from './series-intervals.ts';

/** What was stated of series when this was made, and nothing that is stated later. */
export class IntervalsAt {
  readonly #intervals: SeriesIntervals;
  readonly #moment: number;
  /** Of series that were looked up after a change: one object for each. */
  readonly #earlier = new Map<number, StatedIntervals>();

  constructor(intervals: SeriesIntervals) {
    this.#intervals = intervals;
    this.#moment = intervals.moment;
  }

  /** What was stated for a series that was known. */
  of(dense: number): StatedIntervals {
    const intervals = this.#intervals;
    if (intervals.moment === this.#moment) return intervals.of(dense);
    const known = this.#earlier.get(dense);
    if (known !== undefined) return known;
    const stated = intervals.asOf(dense, this.#moment);
    if (stated !== intervals.of(dense)) this.#earlier.set(dense, stated);
    return stated;
  }
}
