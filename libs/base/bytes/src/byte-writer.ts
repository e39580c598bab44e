const INITIAL_BYTES = 256;
/** Characters of a text that are written one by one; at most 127, so that the length is one byte. */
const SHORT_TEXT = 48;

/** A growing little-endian byte buffer. `take` returns the written bytes and empties the buffer. */
export class ByteWriter {
  #buffer: Buffer;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
    this.#view = viewOf(this.#buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for `bytes` more and returns the buffer: write from `length` on, then call `advance`. */
  reserve(bytes: number): Buffer {
    const wanted = this.#length + bytes;
    if (wanted > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
      this.#view = viewOf(grown);
    }
    return this.#buffer;
  }

  /** Makes room for `bytes` more and returns a view for writing whole words, as `reserve` does for bytes. */
  reserveView(bytes: number): DataView {
    this.reserve(bytes);
    return this.#view;
  }

  advance(bytes: number): void {
    this.#length += bytes;
  }

  u8(value: number): void {
    this.reserve(1)[this.#length++] = value;
  }

  u16(value: number): void {
    this.reserve(2).writeUInt16LE(value, this.#length);
    this.#length += 2;
  }

  u32(value: number): void {
    this.reserve(4).writeUInt32LE(value, this.#length);
    this.#length += 4;
  }

  f64(value: number): void {
    this.reserve(8).writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  /** Writes an integer of up to 53 bits as LEB128. */
  varint(value: number): void {
    const buffer = this.reserve(8);
    if (value <= 0x7fffffff) {
      // Integer arithmetic: a remainder of float64 costs ten times as much.
      let small = value | 0;
      while (small >= 0x80) {
        buffer[this.#length++] = (small & 0x7f) | 0x80;
        small >>>= 7;
      }
      buffer[this.#length++] = small;
      return;
    }
    let rest = value;
    while (rest >= 0x80) {
      buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[this.#length++] = rest;
  }

  /** Writes a signed integer of up to 52 bits, zigzag then LEB128. */
  signedVarint(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length).set(value, this.#length);
    this.#length += value.length;
  }

  /** Writes the length as a varint, then the bytes. */
  sizedBytes(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  /** Writes the UTF-8 length as a varint, then the text. */
  text(value: string): void {
    if (value.length <= SHORT_TEXT && this.#shortAscii(value)) return;
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.reserve(size).write(value, this.#length, size, 'utf8');
    this.#length += size;
  }

  /** Writes a short text whose characters are all ASCII, without a call of the runtime; else returns false. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    const buffer = this.reserve(1 + length);
    const start = this.#length + 1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[start + i] = code;
    }
    buffer[start - 1] = length;
    this.#length = start + length;
    return true;
  }

  /** Overwrites four bytes that were written before. */
  patchU32(position: number, value: number): void {
    this.#buffer.writeUInt32LE(value, position);
  }

  /** The bytes written so far, as a view that the next write may change. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The bytes written, as a copy that the caller owns. */
  take(): Buffer {
    const out = Buffer.from(this.view());
    this.#length = 0;
    return out;
  }

  /**
   * The bytes written, as a copy in memory of its own, for those that are kept for long, or are released: a small copy of
   * `take` shares a piece of memory with others, and keeps all of it.
   */
  takeApart(): Buffer {
    const out = Buffer.allocUnsafeSlow(this.#length);
    this.#buffer.copy(out, 0, 0, this.#length);
    this.#length = 0;
    return out;
  }

  reset(): void {
    this.#length = 0;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
