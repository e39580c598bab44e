import type { Kind } from '@tidemark/model';

export interface TableSeries {
  readonly metric: string;
  readonly kind: Kind;
  /** Sorted and distinct. */
  readonly tags: readonly string[];
}

/** Series by a dense number: the order in which a client first used them. */
export class SeriesTable {
  readonly #series: TableSeries[] = [];

  get length(): number {
    return this.#series.length;
  }

  /** Returns the number of the new series. */
  add(series: TableSeries): number {
    return this.#series.push(series) - 1;
  }

  get(number: number): TableSeries {
    return this.#series[number];
  }
}
