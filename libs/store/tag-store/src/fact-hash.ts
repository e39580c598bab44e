import { murmur3 } from '@tidemark/bytes';

/** Meanings of a hashed fact. They are part of its hash, so that facts of different meaning never cancel out. */
export const SEEN = 1;
export const UNKNOWN_SEEN = 2;
export const GAP = 3;
export const METADATA = 4;

const SEED = 0x9747b28c;
const ID_BYTES = 16;
const FACT_BYTES = ID_BYTES + 4;

/**
 * A 128-bit sum over hashed facts: four sums modulo 2^32. Facts may be added and removed in any order, so it is a
 * function of the set of facts, and costs one hash per change. A fact is hashed by MurmurHash3_x86_128, from its id and
 * its day as 32 bits little-endian, seeded by its meaning. It distinguishes states, and does not resist an adversary.
 */
export class FactHash {
  readonly #sums = new Uint32Array(4);
  readonly #bytes = new Uint8Array(FACT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #hash = new Uint32Array(4);

  /** Adds a fact, also to `part`, the sum over some of the facts. */
  add(id: Uint8Array, day: number, meaning: number, part?: FactHash): void {
    this.#mix(id, day, meaning, 1);
    if (part === undefined) return;
    for (let i = 0; i < this.#sums.length; i++) part.#sums[i] += this.#hash[i];
  }

  /** Removes all facts of `part`. */
  subtract(part: FactHash): void {
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i] -= part.#sums[i];
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

  /** The sum as 32 hexadecimal digits. */
  toString(): string {
    return Array.from(this.#sums, (sum) => sum.toString(16).padStart(8, '0')).join('');
  }

  #mix(id: Uint8Array, day: number, meaning: number, sign: number): void {
    this.#bytes.set(id);
    this.#view.setUint32(ID_BYTES, day, true);
    murmur3(this.#bytes, FACT_BYTES, SEED ^ meaning, this.#hash);
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i] += sign * this.#hash[i];
  }
}
