import { grown } from '@tidemark/columns';

const INITIAL = 1024;

/** The slots of each series in stacks of pages, by the series' ordinal, without an object for each. */
export class SlotLists {
  /** Numbers of entries, from 1 on; 0 is none. */
  readonly #first: Uint32Array;
  readonly #last: Uint32Array;
  #next = new Uint32Array(INITIAL);
  #slots = new Uint32Array(INITIAL);
  #length = 0;

  /** For ordinals below `ordinals`. */
  constructor(ordinals: number) {
    this.#first = new Uint32Array(ordinals);
    this.#last = new Uint32Array(ordinals);
  }

  /** Adds a slot, 0 to 255, of the stack of that number to a series. */
  add(ordinal: number, stack: number, slot: number): void {
    const at = this.#length;
    if (at === this.#next.length) {
      this.#next = grown(this.#next, new Uint32Array(2 * at), at);
      this.#slots = grown(this.#slots, new Uint32Array(2 * at), at);
    }
    this.#length = at + 1;
    this.#slots[at] = stack * 256 + slot;
    if (this.#first[ordinal] === 0) this.#first[ordinal] = at + 1;
    else this.#next[this.#last[ordinal] - 1] = at + 1;
    this.#last[ordinal] = at + 1;
  }

  /** The first entry of a series, or -1. */
  first(ordinal: number): number {
    return this.#first[ordinal] - 1;
  }

  /** The entry behind another one of the same series, or -1. */
  next(entry: number): number {
    return this.#next[entry] - 1;
  }

  stackOf(entry: number): number {
    return this.#slots[entry] >>> 8;
  }

  slotOf(entry: number): number {
    return this.#slots[entry] & 255;
  }
}
