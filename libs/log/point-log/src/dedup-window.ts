import { assert } from '@tidemark/ports';

/** Width of the window: max number of sequences above the floor that a client may use. */
export const WINDOW = 1024;
const WORDS = WINDOW / 32;

/**
 * The sequences of one client session that were applied: all below `floor`, and those of a window above it. A client
 * keeps its sequences within the window, so no state is needed beyond it. Bits exist only while sequences are missing
 * below the highest one: most client sessions need none.
 */
export class DedupWindow {
  #floor = 0;
  #next = 0;
  /** Bit `sequence % WINDOW` is set when that sequence, within [floor, floor + WINDOW), was applied. */
  #bits: Uint32Array | undefined;

  /** All sequences below it are settled, applied or given up. */
  get floor(): number {
    return this.#floor;
  }

  /** Highest applied sequence plus one, and at least the floor. */
  get next(): number {
    return this.#next;
  }

  /** Raises the floor: all sequences below it are settled. The floor never decreases. */
  raiseFloor(floor: number): void {
    if (floor <= this.#floor) return;
    if (floor >= this.#next) this.#bits = undefined;
    else for (let sequence = this.#floor; sequence < floor; sequence++) this.#clear(sequence);
    this.#floor = floor;
    this.#next = Math.max(this.#next, floor);
  }

  /** Returns true when `sequence` was applied, or given up, before. */
  has(sequence: number): boolean {
    if (sequence < this.#floor) return true;
    if (sequence >= this.#next) return false;
    if (this.#bits === undefined) return true;
    const bit = sequence % WINDOW;
    return (this.#bits[bit >>> 5] & (1 << (bit & 31))) !== 0;
  }

  /** Records `sequence` as applied. It must be within the window. */
  add(sequence: number): void {
    assert(sequence >= this.#floor && sequence < this.#floor + WINDOW, `sequence ${sequence} outside of the window`);
    if (this.#bits === undefined && sequence > this.#next) this.#bits = this.words();
    if (this.#bits !== undefined) setBit(this.#bits, sequence);
    this.#next = Math.max(this.#next, sequence + 1);
  }

  /** The bits of the window, also where they are not kept. */
  words(): Uint32Array {
    if (this.#bits !== undefined) return this.#bits.slice();
    const words = new Uint32Array(WORDS);
    for (let sequence = this.#floor; sequence < this.#next; sequence++) setBit(words, sequence);
    return words;
  }

  /** Restores what `floor`, `next` and `words` returned. */
  static restored(floor: number, next: number, readWord: () => number): DedupWindow {
    const window = new DedupWindow();
    window.#floor = floor;
    window.#next = next;
    const words = Uint32Array.from({ length: WORDS }, readWord);
    const whole = window.words();
    if (words.some((word, i) => word !== whole[i])) window.#bits = words;
    return window;
  }

  #clear(sequence: number): void {
    const bit = sequence % WINDOW;
    if (this.#bits !== undefined) this.#bits[bit >>> 5] &= ~(1 << (bit & 31));
  }
}

function setBit(words: Uint32Array, sequence: number): void {
  const bit = sequence % WINDOW;
  words[bit >>> 5] |= 1 << (bit & 31);
}
