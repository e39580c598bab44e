import { murmur3 } from '@tidemark/bytes';
import { assert, limitError } from '@tidemark/ports';
import { estimateCardinality } from './cardinality-estimate.ts';

/**
 * Default precision. A set has 2^precision registers and a standard error of 1.04 / 2^(precision / 2), 0.81% by
 * default.
 */
export const DEFAULT_PRECISION = 14;
export const MIN_PRECISION = 4;
export const MAX_PRECISION = 18;

export interface HyperLogLogOptions {
  /** Precision, MIN_PRECISION to MAX_PRECISION; default 14: at most 16 KiB, and 0.81% standard error. */
  readonly precision?: number;
}

const INITIAL_SLOTS = 16;
/**
 * Registers per slot of the largest sparse table. Slots have 4 bytes and are at most half full: half of the registers'
 * bytes.
 */
const SPARSE_SLOTS_SHARE = 8;
/** Bits of the rank in a sparse entry, which is register · 64 + rank; no rank is 0. */
const RANK_BITS = 6;
const RANK_MASK = 63;

const TEXT_BYTES = 1024;
const textBytes = Buffer.alloc(TEXT_BYTES);
const hash = new Uint32Array(4);

/**
 * HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007) over 64-bit hashes, with Ertl's estimator. Small sets are a
 * table of the registers in use. The state is each register's maximum, so any order and grouping gives the same state,
 * in either form.
 */
export class HyperLogLog {
  readonly precision: number;
  /** Open-addressed entries while sparse; 0 is a free slot. */
  #slots: Uint32Array | undefined = new Uint32Array(INITIAL_SLOTS);
  #used = 0;
  #registers: Uint8Array | undefined;

  /** Throws `invalid_argument` for a precision out of its limits. */
  constructor(options: HyperLogLogOptions = {}) {
    const precision = options.precision ?? DEFAULT_PRECISION;
    if (!(Number.isInteger(precision) && precision >= MIN_PRECISION && precision <= MAX_PRECISION)) {
      throw limitError('precision', String(precision), `${MIN_PRECISION} to ${MAX_PRECISION}`);
    }
    this.precision = precision;
  }

  get registerCount(): number {
    return 2 ** this.precision;
  }

  /** True while the set stores only the registers in use. */
  get sparse(): boolean {
    return this.#registers === undefined;
  }

  /** Adds a 64-bit hash, as its high and low 32 bits. All of the hash must be well mixed. */
  insertHash(high: number, low: number): void {
    const p = this.precision;
    const rest = high << p;
    const rank = rest !== 0 ? Math.clz32(rest) + 1 : Math.clz32(low) + 33 - p;
    this.raise(high >>> (32 - p), rank);
  }

  /** Adds bytes by the first 64 bits of their MurmurHash3_x86_128, seed 0. */
  insertBytes(bytes: Uint8Array): void {
    murmur3(bytes, bytes.length, 0, hash);
    this.insertHash(hash[1], hash[0]);
  }

  /** Adds a text by its UTF-8 bytes. */
  insertText(text: string): void {
    if (text.length * 3 > TEXT_BYTES) {
      this.insertBytes(Buffer.from(text, 'utf8'));
      return;
    }
    murmur3(textBytes, textBytes.write(text, 0, 'utf8'), 0, hash);
    this.insertHash(hash[1], hash[0]);
  }

  /** Adds all of `other`. Throws `invalid_argument` for another precision. */
  merge(other: HyperLogLog): void {
    if (other.precision !== this.precision) {
      const limit = `${this.precision}, the precision of the set that it is merged into`;
      throw limitError('precision', String(other.precision), limit);
    }
    if (other === this) return;
    other.forEachRegister((register, rank) => this.raise(register, rank));
  }

  /** An estimate of the number of distinct hashes that were inserted; 0 for none. */
  estimate(): number {
    const histogram = new Float64Array(66 - this.precision);
    let used = 0;
    this.forEachRegister((_, rank) => {
      histogram[rank]++;
      used++;
    });
    histogram[0] = this.registerCount - used;
    return estimateCardinality(histogram, this.precision);
  }

  /** Raises a register to `rank` (1 to 65 - precision), if it is lower. */
  raise(register: number, rank: number): void {
    const registers = this.#registers;
    if (registers !== undefined) {
      if (registers[register] < rank) registers[register] = rank;
      return;
    }
    const slots = this.#slots;
    assert(slots !== undefined, 'a set without registers is sparse and has slots');
    const at = slotOf(slots, register);
    if (slots[at] === 0) {
      slots[at] = (register << RANK_BITS) | rank;
      this.#used++;
      if (this.#used * 2 > slots.length) this.#grow(slots);
    } else if ((slots[at] & RANK_MASK) < rank) {
      slots[at] = (register << RANK_BITS) | rank;
    }
  }

  /** Calls `call` with each register above 0 and its rank, in no particular order. */
  forEachRegister(call: (register: number, rank: number) => void): void {
    if (this.#registers !== undefined) {
      for (let i = 0; i < this.#registers.length; i++) if (this.#registers[i] > 0) call(i, this.#registers[i]);
      return;
    }
    const slots = this.#slots;
    assert(slots !== undefined, 'a set without registers is sparse and has slots');
    for (const entry of slots) if (entry !== 0) call(entry >>> RANK_BITS, entry & RANK_MASK);
  }

  /** All registers, as a copy. */
  toRegisters(): Uint8Array {
    const out = new Uint8Array(this.registerCount);
    this.forEachRegister((register, rank) => {
      out[register] = rank;
    });
    return out;
  }

  copy(): HyperLogLog {
    const out = new HyperLogLog({ precision: this.precision });
    out.#slots = this.#slots?.slice();
    out.#used = this.#used;
    out.#registers = this.#registers?.slice();
    return out;
  }

  equals(other: HyperLogLog): boolean {
    return this.precision === other.precision && Buffer.compare(this.toRegisters(), other.toRegisters()) === 0;
  }

  #grow(slots: Uint32Array): void {
    if (slots.length * 2 > this.registerCount / SPARSE_SLOTS_SHARE) {
      this.#registers = this.toRegisters();
      this.#slots = undefined;
      return;
    }
    const grown = new Uint32Array(slots.length * 2);
    for (const entry of slots) if (entry !== 0) grown[slotOf(grown, entry >>> RANK_BITS)] = entry;
    this.#slots = grown;
  }
}

/** The slot of `register`, or the free slot for it. */
function slotOf(slots: Uint32Array, register: number): number {
  const mask = slots.length - 1;
  let at = register & mask;
  while (slots[at] !== 0 && slots[at] >>> RANK_BITS !== register) at = (at + 1) & mask;
  return at;
}
