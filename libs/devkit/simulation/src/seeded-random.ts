import type { Random } from '@tidemark/ports';

/**
 * xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021): the same numbers for
 * the same seed on every machine. Not for secrets.
 */
export class SeededRandom implements Random {
  readonly #seed: string;
  readonly #state: Uint32Array;

  constructor(seed: number | string) {
    this.#seed = String(seed);
    this.#state = stateOf(this.#seed);
  }

  /** Makes a generator with this state, for the reference sequence. */
  static ofState(state: readonly [number, number, number, number]): SeededRandom {
    const random = new SeededRandom('');
    random.#state.set(state);
    return random;
  }

  /**
   * Makes an independent stream named `name`. It depends only on this generator's seed and the name, not on earlier
   * draws, so more draws in one place change nothing in another.
   */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  /** Draws 32 random bits. */
  nextUint32(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  next(): number {
    return ((this.nextUint32() >>> 5) * 0x4000000 + (this.nextUint32() >>> 6)) / 0x20000000000000;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      let bits = this.nextUint32();
      for (let i = at; i < length && i < at + 4; i++) {
        bytes[i] = bits;
        bits >>>= 8;
      }
    }
    return bytes;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Hashes the seed's UTF-16 units by FNV-1a, and expands the hash to 128 bits by splitmix32. */
function stateOf(seed: string): Uint32Array {
  let hash = 0x811c9dc5;
  let second = 0x9e3779b9;
  for (let i = 0; i < seed.length; i++) {
    hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
    second = Math.imul(second + seed.charCodeAt(i), 0x85ebca6b) ^ (second >>> 13);
  }
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    hash = (hash + 0x9e3779b9) | 0;
    state[i] = mix(hash ^ (i & 1 ? second : mix(second)));
  }
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

function mix(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
