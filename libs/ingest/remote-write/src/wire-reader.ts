import { malformed } from './write-error.ts';

/** Max bytes of a varint of 64 bits. */
const VARINT_BYTES = 10;

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads protobuf's wire format, front to back. Throws `invalid_argument` for incomplete values. */
export class WireReader {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  position = 0;

  open(bytes: Uint8Array): void {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = 0;
  }

  /** Releases the bytes. */
  close(): void {
    this.open(new Uint8Array(0));
  }

  /** Reads a varint below 2^53, up to `end`: a tag or a length. */
  varint(end: number): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    for (let at = this.position; at < end; at++) {
      const byte = bytes[at];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw malformed('protobuf', `number too large at byte ${this.position}`);
        this.position = at + 1;
        return value;
      }
      scale *= 128;
      if (scale > 2 ** 49) break;
    }
    throw malformed('protobuf', `incomplete number at byte ${this.position}`);
  }

  /** Reads an int64, which may have ten bytes. Values beyond 2^53 are rounded. */
  int64(end: number): number {
    const { bytes } = this;
    // Times of this century have six bytes: two halves in integer arithmetic.
    const at = this.position;
    if (
      at + 6 <= end &&
      bytes[at + 5] < 0x80 &&
      (bytes[at] & bytes[at + 1] & bytes[at + 2] & bytes[at + 3] & bytes[at + 4]) >= 0x80
    ) {
      this.position = at + 6;
      const low = (bytes[at] & 0x7f) | ((bytes[at + 1] & 0x7f) << 7) | ((bytes[at + 2] & 0x7f) << 14);
      const high = (bytes[at + 3] & 0x7f) | ((bytes[at + 4] & 0x7f) << 7) | (bytes[at + 5] << 14);
      return low + high * 0x200000;
    }
    let value = 0n;
    for (let i = 0; i < VARINT_BYTES && this.position + i < end; i++) {
      const byte = bytes[this.position + i];
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        this.position += i + 1;
        return Number(BigInt.asIntN(64, value));
      }
    }
    throw malformed('protobuf', `incomplete number at byte ${this.position}`);
  }

  #skipVarint(end: number): void {
    const { bytes } = this;
    const last = Math.min(end, this.position + VARINT_BYTES);
    for (let at = this.position; at < last; at++) {
      if (bytes[at] >= 0x80) continue;
      this.position = at + 1;
      return;
    }
    throw malformed('protobuf', `incomplete number at byte ${this.position}`);
  }

  /** Returns the end of the field of `length` bytes that begins here. */
  endOf(length: number, end: number): number {
    const fieldEnd = this.position + length;
    if (fieldEnd > end)
      throw malformed(
        'protobuf',
        `field of ${length} bytes at byte ${this.position}, but ${end - this.position} bytes are left`,
      );
    return fieldEnd;
  }

  /** Skips the value of a field with this tag. */
  skip(tag: number, end: number): void {
    const wire = tag % 8;
    if (tag < 8) throw malformed('protobuf', `invalid field number 0 at byte ${this.position}`);
    if (wire === WIRE.varint) this.#skipVarint(end);
    else if (wire === WIRE.fixed64) this.position = this.endOf(8, end);
    else if (wire === WIRE.bytes) this.position = this.endOf(this.varint(end), end);
    else if (wire === WIRE.fixed32) this.position = this.endOf(4, end);
    else throw malformed('protobuf', `unsupported wire type ${wire} at byte ${this.position}`);
  }
}
