import { assert } from '@tidemark/ports';

/** Width of the window: max number of sequences above the floor that a client may use. */
export const WINDOW = 1024;
const WORDS = WINDOW / 32;

/**
 * The sequences of one client session that were applied: all below `floor`, and those of a window above it. A client
 * keeps its sequences within the window, so no state is needed beyond it.
 */
export class DedupWindow {
  floor = 0;
  /** Highest applied sequence plus one. */
  next = 0;
  /** Bit `sequence % WINDOW` is set when that sequence, within [floor, floor + WINDOW), was applied. */
  readonly bits = new Uint32Array(WORDS);

  /** Raises the floor: all sequences below it are settled, applied or given up. The floor never decreases. */
  raiseFloor(floor: number): void {
    if (floor <= this.floor) return;
    if (floor - this.floor >= WINDOW) this.bits.fill(0);
    else for (let sequence = this.floor; sequence < floor; sequence++) this.#clear(sequence);
    this.floor = floor;
    this.next = Math.max(this.next, floor);
  }

  /** Returns true when `sequence` was applied, or given up, before. */
  has(sequence: number): boolean {
    if (sequence < this.floor) return true;
    if (sequence >= this.floor + WINDOW) return false;
    const bit = sequence % WINDOW;
    return (this.bits[bit >>> 5] & (1 << (bit & 31))) !== 0;
  }

  /** Records `sequence` as applied. It must be within the window. */
  add(sequence: number): void {
    assert(sequence >= this.floor && sequence < this.floor + WINDOW, `sequence ${sequence} outside of the window`);
    const bit = sequence % WINDOW;
    this.bits[bit >>> 5] |= 1 << (bit & 31);
    this.next = Math.max(this.next, sequence + 1);
  }

  #clear(sequence: number): void {
    const bit = sequence % WINDOW;
    this.bits[bit >>> 5] &= ~(1 << (bit & 31));
  }
}
