import { flippedBit, stepsOf } from './flipped-bit.ts';
import type { RangeChecksums } from './range-checksums.ts';
import { RECORD_PREFIX_BYTES } from './spool-format.ts';

const LENGTH_BITS = 32;

/** Finds out which record a bad one was, if one bit of it flipped. spool-format.test.ts covers it. */
export class FlipSearch {
  readonly #view: Buffer;
  readonly #checksums: RangeChecksums;
  readonly #maxBodyBytes: number;
  /** Steps that are left, so that many lengths that are wrong cost no more than the file has bytes. */
  #leftSteps: number;

  constructor(view: Buffer, checksums: RangeChecksums, maxBodyBytes: number) {
    this.#view = view;
    this.#checksums = checksums;
    this.#maxBodyBytes = maxBodyBytes;
    this.#leftSteps = view.length;
  }

  /** The size of the record at `position` before the flip, and a copy of it; undefined when none explains its checksum. */
  frameBefore(position: number): { readonly sizeBytes: number; readonly copy: () => Buffer } | undefined {
    const view = this.#view;
    if (view.length - position <= RECORD_PREFIX_BYTES) return undefined;
    const bodyBytes = view.readUInt32LE(position);
    const checksum = view.readUInt32LE(position + 4);
    return this.#flippedBody(position, bodyBytes, checksum) ?? this.#flippedLength(position, bodyBytes, checksum);
  }

  #flippedBody(position: number, bodyBytes: number, checksum: number) {
    const computed = this.#checksumOf(position, bodyBytes);
    if (computed === undefined) return undefined;
    const difference = (computed ^ checksum) >>> 0;
    if (hasOneBit(difference)) {
      return this.#frame(position, bodyBytes, (frame) => frame.writeUInt32LE(computed, 4));
    }
    const steps = stepsOf(bodyBytes * 8);
    if (difference === 0 || steps > this.#leftSteps) return undefined;
    this.#leftSteps -= steps;
    const bit = flippedBit(difference, bodyBytes * 8);
    if (bit === undefined) return undefined;
    return this.#frame(position, bodyBytes, (frame) => {
      frame[RECORD_PREFIX_BYTES + (bit >> 3)] ^= 1 << (bit & 7);
    });
  }

  #flippedLength(position: number, bodyBytes: number, checksum: number) {
    for (let bit = 0; bit < LENGTH_BITS; bit++) {
      const rightBytes = (bodyBytes ^ (1 << bit)) >>> 0;
      if (this.#checksumOf(position, rightBytes) !== checksum) continue;
      return this.#frame(position, rightBytes, (frame) => frame.writeUInt32LE(rightBytes, 0));
    }
    return undefined;
  }

  #frame(position: number, bodyBytes: number, mend: (frame: Buffer) => void) {
    const sizeBytes = RECORD_PREFIX_BYTES + bodyBytes;
    const copy = () => {
      const frame = Buffer.from(this.#view.subarray(position, position + sizeBytes));
      mend(frame);
      return frame;
    };
    return { sizeBytes, copy };
  }

  /** Undefined when a body of this length has no room. */
  #checksumOf(position: number, bodyBytes: number): number | undefined {
    const end = position + RECORD_PREFIX_BYTES + bodyBytes;
    if (bodyBytes === 0 || bodyBytes > this.#maxBodyBytes || end > this.#view.length) return undefined;
    return this.#checksums.of(position + RECORD_PREFIX_BYTES, end);
  }
}

function hasOneBit(word: number): boolean {
  return word !== 0 && (word & (word - 1)) === 0;
}
