import type { PageCodec } from './page-codec.ts';
import type { SeriesPoints, SeriesSketches } from './series-columns.ts';

/**
 * A 128-bit sum over points: equal for equal sets of points, in any order, pages and files. It detects replicas that
 * differ by accident. It is not a defence against an adversary who chooses the points.
 */
export class PointHash {
  readonly #codec: PageCodec;
  readonly #sums = new Uint32Array(4);

  /** It uses the codec's memory during its calls. */
  constructor(codec: PageCodec) {
    this.#codec = codec;
  }

  /** Adds the resolved points of one series; `id` has 16 bytes. */
  addPoints(id: Buffer, { timesMs, values, length }: SeriesPoints): void {
    const { kernel, writer } = this.#codec;
    const seedsAt = writer.freeAt;
    const timesAt = seedsAt + SUMS_BYTES;
    const valuesAt = timesAt + 8 * RUN_POINTS;
    kernel.reserve(valuesAt + 8 * RUN_POINTS);
    const state = new Uint32Array(kernel.bytes.buffer, seedsAt, 8);
    state.set(seedsOf(id));
    state.set(this.#sums, 4);
    for (let from = 0; from < length; from += RUN_POINTS) {
      const to = Math.min(length, from + RUN_POINTS);
      kernel.floats.set(timesMs.subarray(from, to), timesAt / 8);
      kernel.floats.set(values.subarray(from, to), valuesAt / 8);
      kernel.loops.hashPoints(seedsAt, timesAt, valuesAt, to - from);
    }
    this.#sums.set(state.subarray(4));
  }

  addSketches(id: Buffer, { timesMs, payloads, length }: SeriesSketches): void {
    for (let i = 0; i < length; i++) {
      const seeds = seedsOf(id);
      absorb(seeds, payloads[i]);
      float[0] = timesMs[i];
      float[1] = 0;
      this.#add(seeds);
    }
  }

  /** Adds any bytes as one element. */
  addBytes(bytes: Uint8Array): void {
    const seeds = Uint32Array.of(1, 2, 3, 4);
    absorb(seeds, bytes);
    float[0] = bytes.length;
    float[1] = 0;
    this.#add(seeds);
  }

  /** The sum as 32 hexadecimal digits. */
  get hex(): string {
    return [...this.#sums].map((sum) => sum.toString(16).padStart(8, '0')).join('');
  }

  /** Adds the element in `words`, mixed under the four seeds. */
  #add(seeds: Uint32Array): void {
    for (let lane = 0; lane < 4; lane++) {
      let hash = seeds[lane];
      for (let i = 0; i < 4; i++) hash = mix(hash, words[i]);
      this.#sums[lane] += finish(hash);
    }
  }
}

const float = new Float64Array(2);
const words = new Uint32Array(float.buffer);
/** Bytes of four seeds and four sums in the kernel's memory. */
const SUMS_BYTES = 32;
/** Points of one call of the kernel. */
const RUN_POINTS = 1024;

/** Four different seeds from the id, one per lane. */
function seedsOf(id: Buffer): Uint32Array {
  return Uint32Array.from({ length: 4 }, (_, lane) => {
    let hash = 0x9e3779b9 + lane;
    for (let i = 0; i < 16; i += 4) hash = mix(hash, id.readUInt32LE(i));
    return hash;
  });
}

function absorb(seeds: Uint32Array, bytes: Uint8Array): void {
  for (let lane = 0; lane < 4; lane++) {
    let hash = seeds[lane];
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193) + 0x7ed55d16;
    seeds[lane] = finish(hash);
  }
}

/** One round of MurmurHash3 (Appleby, public domain), x86 32-bit variant. */
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
