import { CRC_TABLE } from '@tidemark/bytes';
import { BYTE, multiply, ONE, power } from './crc-field.ts';

/** Bytes between two registers that are kept. */
const STEP_BYTES = 16;
/** Powers of one table: a length is a number of them, and a rest. */
const LOW_POWERS = 4096;
/** The register before the first byte. */
const INITIAL = -1;

/**
 * The CRC-32C of any range of some bytes, in constant time after one pass over them: checksums are linear, so that of a range
 * follows from those of the bytes before its start and before its end. They take a quarter of the bytes' memory.
 */
export class RangeChecksums {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** Registers, from zero, of the first `i * STEP_BYTES` bytes. */
  readonly #registers: Int32Array;
  /** x^(8i), and x^(8i * LOW_POWERS). */
  readonly #low: Int32Array;
  readonly #high: Int32Array;

  /** Of ranges that begin at `start` or later. */
  constructor(all: Uint8Array, start = 0) {
    const bytes = all.subarray(start);
    this.#start = start;
    this.#bytes = bytes;
    this.#registers = new Int32Array(Math.floor(bytes.length / STEP_BYTES) + 1);
    let register = 0;
    for (let i = 0; i < bytes.length; i++) {
      if (i % STEP_BYTES === 0) this.#registers[i / STEP_BYTES] = register;
      register = CRC_TABLE[(register ^ bytes[i]) & 255] ^ (register >>> 8);
    }
    if (bytes.length % STEP_BYTES === 0) this.#registers[bytes.length / STEP_BYTES] = register;
    this.#low = powersOf(BYTE, Math.min(LOW_POWERS, bytes.length + 1));
    this.#high = powersOf(power(BYTE, LOW_POWERS), Math.floor(bytes.length / LOW_POWERS) + 1);
  }

  /** The checksum of the bytes in [from, to). */
  of(from: number, to: number): number {
    const length = to - from;
    const shift = multiply(this.#high[Math.floor(length / LOW_POWERS)], this.#low[length % LOW_POWERS]);
    const before = this.#registerAt(from - this.#start) ^ INITIAL;
    return ~(this.#registerAt(to - this.#start) ^ multiply(shift, before)) >>> 0;
  }

  #registerAt(end: number): number {
    const step = Math.floor(end / STEP_BYTES);
    let register = this.#registers[step];
    for (let i = step * STEP_BYTES; i < end; i++) {
      register = CRC_TABLE[(register ^ this.#bytes[i]) & 255] ^ (register >>> 8);
    }
    return register;
  }
}

function powersOf(base: number, count: number): Int32Array {
  const powers = new Int32Array(count);
  let next: number = ONE;
  for (let i = 0; i < count; i++) {
    powers[i] = next;
    next = multiply(base, next);
  }
  return powers;
}
