/** What a hashed fact says; part of its hash, so that facts of different meaning never cancel out. */
export const SEEN = 1;
export const UNKNOWN_SEEN = 2;
export const GAP = 3;

const SEED = 0x9747b28c;

/**
 * A 128-bit sum over hashed facts: four sums modulo 2^32. Facts may come and go in any order, so it is a function of the
 * set of facts, kept up at the cost of one hash a change. Each fact is mixed as MurmurHash3_x86_128 does (Appleby, 2011);
 * it tells states apart, and is not meant to withstand an adversary.
 */
export class FactHash {
  readonly #sums = new Uint32Array(4);
  readonly #word = new Uint32Array(4);
  readonly #wordBytes = new Uint8Array(this.#word.buffer);

  add(id: Uint8Array, day: number, meaning: number): void {
    this.#mix(id, day, meaning, 1);
  }

  remove(id: Uint8Array, day: number, meaning: number): void {
    this.#mix(id, day, meaning, -1);
  }

  load(sums: ArrayLike<number>): void {
    this.#sums.set(sums);
  }

  get sums(): Uint32Array {
    return this.#sums.slice();
  }

  /** 32 hexadecimal digits. */
  toString(): string {
    return Array.from(this.#sums, (sum) => sum.toString(16).padStart(8, '0')).join('');
  }

  #mix(id: Uint8Array, day: number, meaning: number, sign: number): void {
    this.#wordBytes.set(id);
    const word = this.#word;
    let h1 = SEED ^ meaning;
    let h2 = h1;
    let h3 = h1;
    let h4 = h1;
    h1 ^= scramble(word[0], 0x239b961b, 15, 0xab0e9789);
    h1 = Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b;
    h2 ^= scramble(word[1], 0xab0e9789, 16, 0x38b34ae5);
    h2 = Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747;
    h3 ^= scramble(word[2], 0x38b34ae5, 17, 0xa1e38b93);
    h3 = Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35;
    h4 ^= scramble(word[3], 0xa1e38b93, 18, 0x239b961b);
    h4 = Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17;
    h1 ^= scramble(day, 0x239b961b, 15, 0xab0e9789);
    h1 ^= 20;
    h2 ^= 20;
    h3 ^= 20;
    h4 ^= 20;
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = (h2 + h1) | 0;
    h3 = (h3 + h1) | 0;
    h4 = (h4 + h1) | 0;
    h1 = finish(h1);
    h2 = finish(h2);
    h3 = finish(h3);
    h4 = finish(h4);
    h1 = (h1 + h2 + h3 + h4) | 0;
    this.#sums[0] += sign * h1;
    this.#sums[1] += sign * ((h2 + h1) | 0);
    this.#sums[2] += sign * ((h3 + h1) | 0);
    this.#sums[3] += sign * ((h4 + h1) | 0);
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function scramble(word: number, before: number, bits: number, after: number): number {
  return Math.imul(rotate(Math.imul(word, before), bits), after);
}

function finish(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
