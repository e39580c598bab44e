const STEP_BYTES = 32 * 1024;
const CURSORS = 32;

/** Positions in one segment: of some of its records, and of the ends of the latest reads. */
export class SparseIndex {
  readonly #offsets: number[];
  readonly #positions: number[];
  readonly #cursors = new Map<number, number>();

  /** Starts with `base` and `position` of the segment's first record. */
  constructor(base: number, position: number) {
    this.#offsets = [base];
    this.#positions = [position];
  }

  /** Records that the record `offset` begins at `position`; kept when it is far enough beyond the last one kept. */
  note(offset: number, position: number): void {
    if (position < this.#positions[this.#positions.length - 1] + STEP_BYTES) return;
    this.#offsets.push(offset);
    this.#positions.push(position);
  }

  /** Records where a read ended: the next read of a sequential reader begins there. */
  noteCursor(offset: number, position: number): void {
    if (this.#cursors.size >= CURSORS) {
      for (const oldest of this.#cursors.keys()) {
        this.#cursors.delete(oldest);
        break;
      }
    }
    this.#cursors.set(offset, position);
  }

  /** The nearest known record at or before `offset`. */
  floor(offset: number): { offset: number; position: number } {
    const cursor = this.#cursors.get(offset);
    if (cursor !== undefined) return { offset, position: cursor };
    let low = 0;
    let high = this.#offsets.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#offsets[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { offset: this.#offsets[low], position: this.#positions[low] };
  }
}
