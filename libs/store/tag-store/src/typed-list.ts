/** A growing array of unsigned 32-bit integers; read `values` up to `length`. */
export class Uint32List {
  values: Uint32Array;
  length = 0;

  constructor(capacity = 64) {
    this.values = new Uint32Array(capacity);
  }

  get sizeBytes(): number {
    return this.values.byteLength;
  }

  push(value: number): number {
    this.reserve(1);
    this.values[this.length] = value;
    return this.length++;
  }

  /** Makes room for `count` more without adding them. */
  reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.values.length) return;
    const grown = new Uint32Array(Math.max(wanted, this.values.length * 2));
    grown.set(this.values.subarray(0, this.length));
    this.values = grown;
  }
}

export const ABSENT = -1;

/**
 * A hash map from pairs of uint32 to uint32 below 2^32 - 1, in typed arrays: 12 bytes per slot, no object per entry,
 * linear probing at a load of at most one half. Its hash is keyed, because senders choose which tags a metric has.
 */
export class PairMap {
  #left = new Uint32Array(64);
  #right = new Uint32Array(64);
  /** Value + 1; 0 is a free slot. */
  #values = new Uint32Array(64);
  #count = 0;
  #probes = 0;
  readonly #key: PairKey;

  /** `key`: 16 random bytes. Tests leave it out. */
  constructor(key?: Uint8Array) {
    this.#key = key === undefined ? DEFAULT_KEY : pairKey(key);
  }

  /** Slots of other pairs that were visited over all searches: their cost. */
  get probes(): number {
    return this.#probes;
  }

  get sizeBytes(): number {
    return this.#left.byteLength + this.#right.byteLength + this.#values.byteLength;
  }

  /** The value of a pair, or `ABSENT`. */
  get(left: number, right: number): number {
    return this.#values[this.#slot(left, right)] - 1;
  }

  /** Adds a pair that does not exist yet. */
  put(left: number, right: number, value: number): void {
    this.reserve(this.#count + 1);
    this.#place(left, right, value + 1);
    this.#count++;
  }

  #slot(left: number, right: number): number {
    const mask = this.#values.length - 1;
    let slot = mix(this.#key, left, right) & mask;
    while (this.#values[slot] !== 0 && (this.#left[slot] !== left || this.#right[slot] !== right)) {
      this.#probes++;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #place(left: number, right: number, stored: number): void {
    const slot = this.#slot(left, right);
    this.#left[slot] = left;
    this.#right[slot] = right;
    this.#values[slot] = stored;
  }

  /** Makes room for `count` pairs in all: each growth takes a time that grows with the map. */
  reserve(count: number): void {
    if (count * 2 <= this.#values.length) return;
    const lefts = this.#left;
    const rights = this.#right;
    const values = this.#values;
    let slots = values.length;
    while (slots < count * 2) slots *= 2;
    this.#left = new Uint32Array(slots);
    this.#right = new Uint32Array(slots);
    this.#values = new Uint32Array(slots);
    for (let slot = 0; slot < values.length; slot++) {
      if (values[slot] !== 0) this.#place(lefts[slot], rights[slot], values[slot]);
    }
  }
}

/** What is added to the numbers of a pair, and what the sums are multiplied by. */
interface PairKey {
  readonly addLeft: number;
  readonly addRight: number;
  readonly timesLeft: number;
  readonly timesRight: number;
}

const DEFAULT_KEY: PairKey = { addLeft: 0, addRight: 0, timesLeft: 0x9e3779b1, timesRight: 0x85ebca77 };

function pairKey(key: Uint8Array): PairKey {
  const [addLeft, addRight, left, right] = new Uint32Array(Uint8Array.from(key).buffer);
  // A product with an odd number loses no bit.
  return { addLeft, addRight, timesLeft: left | 1, timesRight: right | 1 };
}

/** Which low bits of two pairs are equal depends on their high bits as well, and on the key. */
function mix({ addLeft, addRight, timesLeft, timesRight }: PairKey, left: number, right: number): number {
  let h = Math.imul(left + addLeft, timesLeft);
  h = Math.imul((h ^ (h >>> 16)) + right + addRight, timesRight);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae3d);
  return h ^ (h >>> 13);
}
