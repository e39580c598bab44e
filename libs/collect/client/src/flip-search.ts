import { crc32c } from '@tidemark/bytes';

/** CRC-32C's polynomial, bits reversed (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;
const LENGTH_BITS = 32;
/** Of a record: its length, and the checksum of its body. */
const PREFIX_BYTES = 8;

/** Finds out which record a bad one was, if one bit of it flipped. spool-format.test.ts covers it. */
export class FlipSearch {
  readonly #maxBodyBytes: number;
  /** Bytes that may still be checked. */
  #leftBytes: number;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
    this.#leftBytes = maxBodyBytes;
  }

  /** A copy of the record at `position` as it was before the flip; undefined when none explains its checksum. */
  frameBefore(view: Buffer, position: number): Buffer | undefined {
    if (view.length - position <= PREFIX_BYTES) return undefined;
    const bodyBytes = view.readUInt32LE(position);
    return this.#flippedBody(view, position, bodyBytes) ?? this.#flippedLength(view, position, bodyBytes);
  }

  #flippedBody(view: Buffer, position: number, bodyBytes: number): Buffer | undefined {
    const body = this.#bodyOf(view, position, bodyBytes);
    if (body === undefined) return undefined;
    const computed = crc32c(body);
    const difference = (computed ^ view.readUInt32LE(position + 4)) >>> 0;
    const bit = hasOneBit(difference) ? undefined : flippedBit(difference, body.length * 8);
    if (bit === undefined && !hasOneBit(difference)) return undefined;
    const frame = Buffer.from(view.subarray(position, position + PREFIX_BYTES + bodyBytes));
    if (bit === undefined) frame.writeUInt32LE(computed, 4);
    else frame[PREFIX_BYTES + (bit >> 3)] ^= 1 << (bit & 7);
    return frame;
  }

  #flippedLength(view: Buffer, position: number, bodyBytes: number): Buffer | undefined {
    for (let bit = 0; bit < LENGTH_BITS; bit++) {
      const rightBytes = (bodyBytes ^ (1 << bit)) >>> 0;
      const body = this.#bodyOf(view, position, rightBytes);
      if (body === undefined || crc32c(body) !== view.readUInt32LE(position + 4)) continue;
      const frame = Buffer.from(view.subarray(position, position + PREFIX_BYTES + rightBytes));
      frame.writeUInt32LE(rightBytes, 0);
      return frame;
    }
    return undefined;
  }

  #bodyOf(view: Buffer, position: number, bodyBytes: number): Buffer | undefined {
    const end = position + PREFIX_BYTES + bodyBytes;
    if (bodyBytes === 0 || bodyBytes > this.#maxBodyBytes || end > view.length) return undefined;
    if (bodyBytes > this.#leftBytes) return undefined;
    this.#leftBytes -= bodyBytes;
    return view.subarray(position + PREFIX_BYTES, end);
  }
}

function hasOneBit(word: number): boolean {
  return word !== 0 && (word & (word - 1)) === 0;
}

/**
 * The bit of a body of `bits` bits whose flip changes its checksum by `difference`. A checksum is linear: the change
 * depends on the distance to the end alone, so one step back is one shift of its register.
 */
function flippedBit(difference: number, bits: number): number | undefined {
  let change = POLYNOMIAL;
  for (let bit = bits - 1; bit >= 0; bit--) {
    if (change >>> 0 === difference) return bit;
    change = (change & 1) === 1 ? (change >>> 1) ^ POLYNOMIAL : change >>> 1;
  }
  return undefined;
}
