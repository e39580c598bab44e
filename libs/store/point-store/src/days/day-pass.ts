import { Selection } from '../series/selection.ts';

/** Points that a pass may have, in parts of those that it was planned with. */
const MOST = 2;

/** The series that are read together, in order. When they have too many points the last ones are given up, for a later pass. */
export class DayPass<Points extends { readonly size: number }> {
  readonly selection: Selection;
  readonly #order: Uint32Array;
  /** Place in the order by ordinal of the selection. */
  readonly #places: Uint32Array;
  readonly #found: (Points | undefined)[];
  readonly #limit: number;
  #kept: number;
  #points = 0;

  /** `points`: those that the series are expected to have, of 16 bytes each. */
  constructor(order: Uint32Array, points: number) {
    this.#order = order;
    this.selection = new Selection(Uint32Array.from(order).sort());
    this.#places = new Uint32Array(order.length + 1);
    for (const [place, series] of order.entries()) this.#places[this.selection.ordinal(series)] = place;
    this.#found = new Array(order.length);
    this.#limit = MOST * points;
    this.#kept = order.length;
  }

  /** Series that were not given up: the first ones of the order. At least one. */
  get series(): Uint32Array {
    return this.#order.subarray(0, this.#kept);
  }

  /** Points of these series. */
  get points(): number {
    return this.#points;
  }

  /** True for a series whose points are read. */
  has(series: number): boolean {
    const ordinal = this.selection.ordinal(series);
    return ordinal !== 0 && this.#places[ordinal] < this.#kept;
  }

  /** The points of a series; those of `make` before the first. */
  of(series: number, make: () => Points): Points {
    const place = this.#places[this.selection.ordinal(series)];
    this.#found[place] ??= make();
    return this.#found[place];
  }

  /** Counts points that were added to a series, and gives up series while there are too many. */
  added(points: number): void {
    this.#points += points;
    while (this.#points > this.#limit && this.#kept > 1) {
      this.#kept = Math.ceil(this.#kept / 2);
      for (const dropped of this.#found.splice(this.#kept)) this.#points -= dropped?.size ?? 0;
    }
  }

  /** Takes out the points of a series; undefined for one without any. */
  take(series: number): Points | undefined {
    const place = this.#places[this.selection.ordinal(series)];
    const found = this.#found[place];
    this.#found[place] = undefined;
    return found;
  }
}
