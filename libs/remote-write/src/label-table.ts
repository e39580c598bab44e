const INITIAL_ENTRIES = 256;
const INITIAL_BYTES = 64 * 1024;
const FREE = -1;
/** No entry: what `find` and `next` return for one that is not known. */
export const UNKNOWN = -1;

/**
 * The series that a tenant's senders have sent, by the raw bytes of their labels, each with its handle. The bytes lie
 * one after another in an arena, so that a series is known only by comparing all of them: a hash is where to look,
 * never proof. Each entry remembers which came after it, since senders repeat themselves.
 */
export class LabelTable {
  readonly #limitBytes: number;
  readonly #seed: number;
  #arena = new ArrayBuffer(INITIAL_BYTES);
  #bytes = new Uint8Array(this.#arena);
  #view = new DataView(this.#arena);
  #words = new BigUint64Array(this.#arena);
  #used = 0;
  #size = 0;
  /** Where an entry's bytes begin, in words of 8 bytes. */
  #starts = new Uint32Array(INITIAL_ENTRIES);
  #lengths = new Uint32Array(INITIAL_ENTRIES);
  #hashes = new Int32Array(INITIAL_ENTRIES);
  #handles = new Uint32Array(INITIAL_ENTRIES);
  #nexts = new Int32Array(INITIAL_ENTRIES);
  #slots = new Int32Array(INITIAL_ENTRIES * 2).fill(FREE);

  /** A table of at most `limitBytes` of labels. `seed`, 32 random bits, keeps senders from choosing who collides. */
  constructor(limitBytes: number, seed: number) {
    this.#limitBytes = limitBytes;
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of labels that are remembered. */
  get sizeBytes(): number {
    return this.#used;
  }

  handle(entry: number): number {
    return this.#handles[entry];
  }

  /** Bytes of an entry's labels. */
  labelBytes(entry: number): number {
    return this.#lengths[entry];
  }

  /** The entry that came after this one the last time, or `UNKNOWN`. */
  next(entry: number): number {
    return this.#nexts[entry];
  }

  follow(entry: number, next: number): void {
    this.#nexts[entry] = next;
  }

  /** True when `view` has an entry's bytes at `at`; there must be as many. */
  matches(entry: number, view: DataView, at: number): boolean {
    const words = this.#words;
    const length = this.#lengths[entry];
    const start = this.#starts[entry];
    const end = start + (length >>> 3);
    let position = at;
    for (let i = start; i < end; i++, position += 8) {
      if (words[i] !== view.getBigUint64(position, true)) return false;
    }
    return this.#tailMatches(start * 8, length, view, at);
  }

  /** The entry of `length` bytes of labels at `at`, or `UNKNOWN`. */
  find(view: DataView, at: number, length: number): number {
    const hash = this.#hash(view, at, length);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot];
      if (entry === FREE) return UNKNOWN;
      if (this.#hashes[entry] === hash && this.#lengths[entry] === length && this.matches(entry, view, at))
        return entry;
    }
  }

  /** Remembers labels that `find` doesn't know. A full table forgets all others first: it can be filled again. */
  add(view: DataView, at: number, length: number, handle: number): number {
    const padded = (length + 7) & ~7;
    if (padded > this.#limitBytes) return UNKNOWN;
    if (this.#used + padded > this.#limitBytes) this.#clear();
    this.#reserve(padded);
    const entry = this.#size++;
    const start = this.#used;
    this.#bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, length), start);
    this.#used += padded;
    const hash = this.#hash(view, at, length);
    this.#starts[entry] = start / 8;
    this.#lengths[entry] = length;
    this.#hashes[entry] = hash;
    this.#handles[entry] = handle;
    this.#nexts[entry] = UNKNOWN;
    this.#insert(entry, hash);
    return entry;
  }

  #tailMatches(start: number, length: number, view: DataView, at: number): boolean {
    const rest = length & 7;
    if (rest === 0) return true;
    if (length >= 8) {
      // The last word, which overlaps the one before.
      return this.#view.getBigUint64(start + length - 8, true) === view.getBigUint64(at + length - 8, true);
    }
    for (let i = 0; i < length; i++) if (this.#bytes[start + i] !== view.getUint8(at + i)) return false;
    return true;
  }

  #hash(view: DataView, at: number, length: number): number {
    let hash = this.#seed ^ Math.imul(length, 0x27d4eb2f);
    const wholeEnd = at + (length & ~3);
    let position = at;
    for (; position < wholeEnd; position += 4) {
      hash = Math.imul(hash ^ view.getInt32(position, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; position < at + length; position++) hash = Math.imul(hash ^ view.getUint8(position), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }

  #insert(entry: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask;
    this.#slots[slot] = entry;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes > this.#arena.byteLength) {
      const wanted = Math.max(this.#arena.byteLength * 2, this.#used + bytes);
      const grown = new ArrayBuffer(Math.min(wanted, Math.max(this.#limitBytes & ~7, this.#used + bytes)));
      new Uint8Array(grown).set(this.#bytes.subarray(0, this.#used));
      this.#setArena(grown);
    }
    if (this.#size < this.#starts.length) return;
    const entries = this.#size * 2;
    this.#starts = copied(this.#starts, new Uint32Array(entries));
    this.#lengths = copied(this.#lengths, new Uint32Array(entries));
    this.#hashes = copied(this.#hashes, new Int32Array(entries));
    this.#handles = copied(this.#handles, new Uint32Array(entries));
    this.#nexts = copied(this.#nexts, new Int32Array(entries));
    this.#slots = new Int32Array(entries * 2).fill(FREE);
    for (let entry = 0; entry < this.#size; entry++) this.#insert(entry, this.#hashes[entry]);
  }

  #setArena(arena: ArrayBuffer): void {
    this.#arena = arena;
    this.#bytes = new Uint8Array(arena);
    this.#view = new DataView(arena);
    this.#words = new BigUint64Array(arena);
  }

  #clear(): void {
    this.#used = 0;
    this.#size = 0;
    this.#slots.fill(FREE);
  }
}

function copied<T extends Uint32Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
