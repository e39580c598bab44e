import { assert } from '@tidemark/ports';

/** Forms of a container; the numbers are those of the serialized form (docs/formats/bitmap.md). */
export const ARRAY = 0;
export const BITS = 1;
export const RUNS = 2;

/** Maximum values of an array container: with more it would be larger than the bits. */
export const ARRAY_LIMIT = 4096;
export const WORDS = 2048;
export const CONTAINER_VALUES = 65_536;

const NO_VALUES = new Uint16Array(0);
const NO_WORDS = new Uint32Array(0);

/**
 * Up to 65,536 values of 16 bits, as Roaring bitmaps keep them (Lemire et al., "Roaring Bitmaps: Implementation of an
 * Optimized Software Library", 2018): a sorted array for few, one bit per value for many, runs for consecutive ones.
 */
export class Container {
  form: number;
  /** The number of values. */
  size: number;
  /** ARRAY: `size` sorted values. RUNS: `runs` pairs of (start, length - 1). May be longer than used. */
  values: Uint16Array;
  /** BITS: one bit per value. */
  words: Uint32Array;
  runs: number;

  constructor(form: number, size: number, values: Uint16Array, words: Uint32Array, runs: number) {
    this.form = form;
    this.size = size;
    this.values = values;
    this.words = words;
    this.runs = runs;
  }

  clone(): Container {
    const values =
      this.form === BITS ? NO_VALUES : this.values.slice(0, this.form === RUNS ? this.runs * 2 : this.size);
    return new Container(this.form, this.size, values, this.form === BITS ? this.words.slice() : NO_WORDS, this.runs);
  }

  has(value: number): boolean {
    if (this.form === BITS) return ((this.words[value >>> 5] >>> (value & 31)) & 1) === 1;
    if (this.form === ARRAY) {
      const at = lowerBound(this.values, this.size, value);
      return at < this.size && this.values[at] === value;
    }
    return this.#runHas(value);
  }

  #runHas(value: number): boolean {
    let low = 0;
    let high = this.runs;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.values[middle * 2] <= value) low = middle + 1;
      else high = middle;
    }
    return low > 0 && value - this.values[(low - 1) * 2] <= this.values[(low - 1) * 2 + 1];
  }

  /** The highest value of a container that is not empty. */
  last(): number {
    if (this.form === ARRAY) return this.values[this.size - 1];
    if (this.form === RUNS) return this.values[this.runs * 2 - 2] + this.values[this.runs * 2 - 1];
    let w = WORDS - 1;
    while (this.words[w] === 0) w--;
    return (w << 5) + 31 - Math.clz32(this.words[w]);
  }

  /** Adds a value; true when it is new. */
  add(value: number): boolean {
    if (this.form === BITS) {
      const word = this.words[value >>> 5];
      const bit = 1 << (value & 31);
      if ((word & bit) !== 0) return false;
      this.words[value >>> 5] = word | bit;
      this.size++;
      return true;
    }
    return this.form === ARRAY ? this.#addToArray(value) : this.#addToRuns(value);
  }

  #addToArray(value: number): boolean {
    // Dense ids mostly come in ascending order, so the end is checked first.
    const last = this.size - 1;
    const at = last < 0 || this.values[last] < value ? this.size : lowerBound(this.values, this.size, value);
    if (at < this.size && this.values[at] === value) return false;
    if (this.size === ARRAY_LIMIT) {
      this.#toBits();
      return this.add(value);
    }
    if (this.size === this.values.length) {
      const grown = new Uint16Array(Math.min(ARRAY_LIMIT, Math.max(4, this.values.length * 2)));
      grown.set(this.values);
      this.values = grown;
    }
    if (at < this.size) this.values.copyWithin(at + 1, at, this.size);
    this.values[at] = value;
    this.size++;
    return true;
  }

  #addToRuns(value: number): boolean {
    const last = (this.runs - 1) * 2;
    if (this.values[last] + this.values[last + 1] + 1 === value) {
      this.values[last + 1]++;
      this.size++;
      return true;
    }
    if (this.#runHas(value)) return false;
    if (this.size < ARRAY_LIMIT) this.#toArray();
    else this.#toBits();
    return this.add(value);
  }

  #toBits(): void {
    const words = new Uint32Array(WORDS);
    this.orInto(words);
    this.form = BITS;
    this.words = words;
    this.values = NO_VALUES;
    this.runs = 0;
  }

  #toArray(): void {
    const values = new Uint16Array(this.size);
    let n = 0;
    this.each((value) => {
      values[n++] = value;
    });
    this.form = ARRAY;
    this.values = values;
    this.words = NO_WORDS;
    this.runs = 0;
  }

  each(visit: (value: number) => void): void {
    if (this.form === ARRAY) {
      for (let i = 0; i < this.size; i++) visit(this.values[i]);
    } else if (this.form === RUNS) {
      for (let r = 0; r < this.runs; r++) {
        const start = this.values[r * 2];
        const end = start + this.values[r * 2 + 1];
        for (let value = start; value <= end; value++) visit(value);
      }
    } else {
      for (let w = 0; w < WORDS; w++) {
        for (let word = this.words[w]; word !== 0; word &= word - 1) visit((w << 5) + lowestBit(word));
      }
    }
  }

  /** Writes `base` + each value, ascending, into `out` from `at` on; returns the position after the last one. */
  copyInto(out: Uint32Array, at: number, base: number): number {
    let position = at;
    if (this.form === ARRAY) {
      for (let i = 0; i < this.size; i++) out[position++] = base + this.values[i];
    } else if (this.form === RUNS) {
      for (let r = 0; r < this.runs; r++) {
        const start = base + this.values[r * 2];
        const end = start + this.values[r * 2 + 1];
        for (let value = start; value <= end; value++) out[position++] = value;
      }
    } else {
      for (let w = 0; w < WORDS; w++) {
        for (let word = this.words[w]; word !== 0; word &= word - 1) {
          out[position++] = base + (w << 5) + lowestBit(word);
        }
      }
    }
    return position;
  }

  /** Sets the bits of this container's values in 2,048 words. */
  orInto(words: Uint32Array): void {
    if (this.form === BITS) {
      for (let w = 0; w < WORDS; w++) words[w] |= this.words[w];
    } else if (this.form === ARRAY) {
      for (let i = 0; i < this.size; i++) words[this.values[i] >>> 5] |= 1 << (this.values[i] & 31);
    } else {
      for (let r = 0; r < this.runs; r++) {
        const start = this.values[r * 2];
        setRange(words, start, start + this.values[r * 2 + 1]);
      }
    }
  }

  /** Number of runs of consecutive values. */
  countRuns(): number {
    if (this.form === RUNS) return this.runs;
    let count = 0;
    if (this.form === ARRAY) {
      for (let i = 0; i < this.size; i++) if (i === 0 || this.values[i] !== this.values[i - 1] + 1) count++;
      return count;
    }
    let carry = 0;
    for (let w = 0; w < WORDS; w++) {
      const word = this.words[w];
      count += popCount(word & ~((word << 1) | carry));
      carry = word >>> 31;
    }
    return count;
  }

  /** Converts the container to its smallest form; on a tie the array, then the bits. */
  optimize(): void {
    const runs = this.countRuns();
    const form = smallestForm(this.size, runs);
    if (form === this.form) return;
    if (form === ARRAY) this.#toArray();
    else if (form === BITS) this.#toBits();
    else this.#toRuns(runs);
  }

  #toRuns(runs: number): void {
    const values = new Uint16Array(runs * 2);
    let r = -1;
    let next = -1;
    this.each((value) => {
      if (value === next) values[r * 2 + 1]++;
      else values[++r * 2] = value;
      next = value + 1;
    });
    assert(r + 1 === runs, 'the counted runs are the written ones');
    this.form = RUNS;
    this.values = values;
    this.words = NO_WORDS;
    this.runs = runs;
  }
}

export function emptyContainer(): Container {
  return new Container(ARRAY, 0, new Uint16Array(4), NO_WORDS, 0);
}

export function arrayContainer(values: Uint16Array, size: number): Container {
  return new Container(ARRAY, size, values, NO_WORDS, 0);
}

export function runContainer(values: Uint16Array, size: number): Container {
  return new Container(RUNS, size, values, NO_WORDS, values.length >> 1);
}

/** A container of the values in `words`: it keeps `words` when there are many values, and is an array otherwise. */
export function containerOfWords(words: Uint32Array): Container {
  let size = 0;
  for (let w = 0; w < WORDS; w++) size += popCount(words[w]);
  if (size > ARRAY_LIMIT) return new Container(BITS, size, NO_VALUES, words, 0);
  const values = new Uint16Array(size);
  let n = 0;
  for (let w = 0; w < WORDS; w++) {
    for (let word = words[w]; word !== 0; word &= word - 1) values[n++] = (w << 5) + lowestBit(word);
  }
  return arrayContainer(values, size);
}

/** The form with the fewest bytes: an array has 2 per value, bits have 8,192, and runs have 4 per run plus 2. */
export function smallestForm(size: number, runs: number): number {
  const plain = size <= ARRAY_LIMIT ? ARRAY : BITS;
  const plainBytes = plain === ARRAY ? size * 2 : WORDS * 4;
  return runs * 4 + 2 < plainBytes ? RUNS : plain;
}

/** Index of the first of `size` sorted values that is at least `value`. */
export function lowerBound(values: Uint16Array, size: number, value: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function popCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return (((v + (v >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Sets the bits `first` to `last`, both inclusive. */
function setRange(words: Uint32Array, first: number, last: number): void {
  const firstWord = first >>> 5;
  const lastWord = last >>> 5;
  const firstMask = -1 << (first & 31);
  const lastMask = -1 >>> (31 - (last & 31));
  if (firstWord === lastWord) {
    words[firstWord] |= firstMask & lastMask;
    return;
  }
  words[firstWord] |= firstMask;
  for (let w = firstWord + 1; w < lastWord; w++) words[w] = 0xffffffff;
  words[lastWord] |= lastMask;
}
