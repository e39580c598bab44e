import type { BlockHolder, LabelMemory } from './label-memory.ts';

const INITIAL_SLOTS = 512;
/** No entry: returned for unknown labels, and the content of a free slot. */
export const UNKNOWN = 0;
/** Layout of an entry: next entry, handle, length, hash (u32 each), scale (f64), 8 unused bytes, labels. */
const NEXT = 0;
const HANDLE = 4;
const LENGTH = 8;
const HASH = 12;
const SCALE = 16;
const LABELS = 32;

/**
 * Series that a tenant's senders have sent, by the raw bytes of their labels, each with its handle. A series is
 * recognized only by a comparison of all bytes; a hash only finds the candidates. Each entry has the one that followed
 * it, since senders repeat their order. An entry is an address in the memory that all tables share.
 */
export class LabelTable implements BlockHolder {
  readonly #memory: LabelMemory;
  #slots = new Uint32Array(INITIAL_SLOTS);
  #size = 0;
  readonly #blocks: number[] = [];
  /** Used bytes of the newest block. */
  #used: number;
  #last = UNKNOWN;

  constructor(memory: LabelMemory) {
    this.#memory = memory;
    this.#used = memory.blockBytes;
    memory.join(this);
  }

  /** Releases the memory. The table must not be used afterwards. */
  leave(): void {
    this.#memory.leave(this);
  }

  get size(): number {
    return this.#size;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  handle(entry: number): number {
    return this.#memory.view.getUint32(entry + HANDLE, true);
  }

  /** Returns the factor for the sender's values. */
  scale(entry: number): number {
    return this.#memory.view.getFloat64(entry + SCALE, true);
  }

  /** Returns the number of bytes of an entry's labels. */
  labelBytes(entry: number): number {
    return this.#memory.view.getUint32(entry + LENGTH, true);
  }

  /** Begins a request, without a preceding entry. */
  begin(): void {
    this.#last = UNKNOWN;
  }

  /** The last entry of this request, or `UNKNOWN`. */
  get last(): number {
    return this.#last;
  }

  /** The entry that followed the last one the previous time, or `UNKNOWN`. */
  get expected(): number {
    return this.#last === UNKNOWN ? UNKNOWN : this.#memory.view.getUint32(this.#last + NEXT, true);
  }

  /** Records an entry, which is then expected after the last one, or `UNKNOWN` for an unknown series. */
  record(entry: number): void {
    if (this.#last !== UNKNOWN && entry !== UNKNOWN) this.#memory.view.setUint32(this.#last + NEXT, entry, true);
    this.#last = entry;
  }

  /** Records that the expected entries followed, up to this one. */
  recordThrough(entry: number): void {
    this.#last = entry;
  }

  /** Returns true when `view` has an entry's bytes at `at`. It must have as many bytes there. */
  matches(entry: number, view: DataView, at: number): boolean {
    const own = this.#memory.view;
    const length = this.labelBytes(entry);
    const labels = entry + LABELS;
    const wordsEnd = length & ~7;
    for (let i = 0; i < wordsEnd; i += 8) {
      if (own.getBigUint64(labels + i, true) !== view.getBigUint64(at + i, true)) return false;
    }
    for (let i = wordsEnd; i < length; i++) if (own.getUint8(labels + i) !== view.getUint8(at + i)) return false;
    return true;
  }

  /** Returns the entry of `length` bytes of labels at `at`, or `UNKNOWN`. */
  find(view: DataView, at: number, length: number): number {
    if (length > this.#memory.longest) return UNKNOWN;
    const hash = this.#memory.hash(view, at, length);
    const mask = this.#slots.length - 1;
    const own = this.#memory.view;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot];
      if (entry === UNKNOWN) return UNKNOWN;
      if (
        own.getInt32(entry + HASH, true) === hash &&
        own.getUint32(entry + LENGTH, true) === length &&
        this.matches(entry, view, at)
      )
        return entry;
    }
  }

  /**
   * Adds labels that `find` does not know. Returns `UNKNOWN` for labels that are too long to store. When memory is
   * full, this table or another is cleared first; its series can be added again.
   */
  add(view: DataView, at: number, length: number, handle: number, scale = 1): number {
    const bytes = (LABELS + length + 7) & ~7;
    const { blockBytes, longest } = this.#memory;
    if (length > longest) return UNKNOWN;
    if (this.#used + bytes > blockBytes) this.#takeBlock();
    const entry = this.#blocks[this.#blocks.length - 1] + this.#used;
    this.#used += bytes;
    const hash = this.#memory.hash(view, at, length);
    const own = this.#memory.view;
    own.setUint32(entry + NEXT, UNKNOWN, true);
    own.setUint32(entry + HANDLE, handle, true);
    own.setUint32(entry + LENGTH, length, true);
    own.setInt32(entry + HASH, hash, true);
    own.setFloat64(entry + SCALE, scale, true);
    this.#memory.bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, length), entry + LABELS);
    if (++this.#size * 2 > this.#slots.length) this.#widen();
    this.#insert(entry, hash);
    return entry;
  }

  clear(): void {
    this.#memory.give(this.#blocks.splice(0));
    this.#used = this.#memory.blockBytes;
    this.#slots = new Uint32Array(INITIAL_SLOTS);
    this.#size = 0;
    this.#last = UNKNOWN;
  }

  #takeBlock(): void {
    const block = this.#memory.allocate();
    this.#blocks.push(block);
    this.#used = 0;
  }

  #insert(entry: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== UNKNOWN) slot = (slot + 1) & mask;
    this.#slots[slot] = entry;
  }

  #widen(): void {
    const entries = this.#slots;
    this.#slots = new Uint32Array(entries.length * 2);
    for (const entry of entries) {
      if (entry !== UNKNOWN) this.#insert(entry, this.#memory.view.getInt32(entry + HASH, true));
    }
  }
}
