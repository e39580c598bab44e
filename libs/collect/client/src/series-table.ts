import type { Kind } from '@tidemark/model';

export interface TableSeries {
  readonly metric: string;
  readonly kind: Kind;
  /** Sorted and distinct. */
  readonly tags: readonly string[];
  /** Reporting interval that the program states, ms; absent when it states none. */
  intervalMs?: number;
}

/** Series by a dense number: the order in which a client first used them, or changed their interval. */
export class SeriesTable {
  readonly #series: TableSeries[] = [];
  /** Numbers that series had before their last change. */
  readonly #previous = new Map<number, number>();

  /** Numbers that were given out. */
  get length(): number {
    return this.#series.length;
  }

  /** Series, each counted once. */
  get distinct(): number {
    return this.#series.length - this.#previous.size;
  }

  /** Returns the number of the new series. */
  add(series: TableSeries): number {
    return this.#series.push(series) - 1;
  }

  /**
   * Gives a series another interval and, as a definition is sent once, another number. Its older numbers state the new
   * interval too where they are defined again, as on a new stream: they would take the change back.
   */
  restate(number: number, intervalMs: number): number {
    const series = this.#series[number];
    series.intervalMs = intervalMs;
    const restated = this.add(series);
    this.#previous.set(restated, number);
    return restated;
  }

  /** Returns the number that a series had before a change of its interval. */
  previousOf(number: number): number | undefined {
    return this.#previous.get(number);
  }

  get(number: number): TableSeries {
    return this.#series[number];
  }
}
