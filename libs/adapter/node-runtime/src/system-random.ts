import { randomBytes } from 'node:crypto';
import type { Random } from '@tidemark/ports';

const POOL_BYTES = 4096;
const TWO_POW_32 = 2 ** 32;

/** Randomness of the operating system, suitable for identities that must not be guessable. */
export class SystemRandom implements Random {
  #pool: Buffer = Buffer.alloc(0);
  #position = 0;

  /** A number in [0, 1) of 53 bits from a pool: a system call for each would cost a microsecond. */
  next(): number {
    if (this.#position + 8 > this.#pool.length) {
      this.#pool = randomBytes(POOL_BYTES);
      this.#position = 0;
    }
    const high = this.#pool.readUInt32LE(this.#position) >>> 11;
    const low = this.#pool.readUInt32LE(this.#position + 4);
    this.#position += 8;
    return (high * TWO_POW_32 + low) / 2 ** 53;
  }

  bytes(length: number): Uint8Array {
    return randomBytes(length);
  }
}
