import { assert } from '@tidemark/ports';

/** How many sequences above the floor a client may have in use; the width of the window. */
export const WINDOW = 1024;
const WORDS = WINDOW / 32;

/**
 * Which sequences of one client session were applied: all below `floor`, and those of a window above it. A client
 * keeps its sequences within the window, so nothing has to be remembered beyond it.
 */
export class DedupWindow {
  floor = 0;
  /** One more than the highest sequence applied. */
  next = 0;
  /** Bit `sequence % WINDOW` is set when that sequence, within [floor, floor + WINDOW), was applied. */
  readonly bits = new Uint32Array(WORDS);

  /** Raises the floor: everything below is settled, applied or given up. It never goes back. */
  raiseFloor(floor: number): void {
    if (floor <= this.floor) return;
    if (floor - this.floor >= WINDOW) this.bits.fill(0);
    else for (let sequence = this.floor; sequence < floor; sequence++) this.#clear(sequence);
    this.floor = floor;
    this.next = Math.max(this.next, floor);
  }

  /** True when `sequence` was applied, or given up, before. */
  has(sequence: number): boolean {
    if (sequence < this.floor) return true;
    if (sequence >= this.floor + WINDOW) return false;
    const bit = sequence % WINDOW;
    return (this.bits[bit >>> 5] & (1 << (bit & 31))) !== 0;
  }

  /** Remembers `sequence` as applied; it must lie within the window. */
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
