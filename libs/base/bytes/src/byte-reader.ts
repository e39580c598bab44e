import { TidemarkError } from '@tidemark/ports';
import { utf8Text } from './utf8-text.ts';
import { readVarint, signedOf } from './varint.ts';

/**
 * Reads the output of `ByteWriter` from bytes that may be hostile: a read beyond the end, or a number out of its
 * range, is a TidemarkError of code `data_loss` that names `what`.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #position: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, what: string, position = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#position = position;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Throws unless at least `size` bytes are left. */
  need(size: number): void {
    if (size > this.#end - this.#position) this.fail(`${size} bytes expected, ${this.#end - this.#position} left`);
  }

  fail(message: string): never {
    throw new TidemarkError('data_loss', `${this.#what}: ${message} (at byte ${this.#position})`, {
      what: this.#what,
      position: this.#position,
    });
  }

  skip(size: number): void {
    this.need(size);
    this.#position += size;
  }

  u8(): number {
    this.need(1);
    return this.#bytes[this.#position++];
  }

  u16(): number {
    this.need(2);
    this.#position += 2;
    return this.#bytes.readUInt16LE(this.#position - 2);
  }

  u32(): number {
    this.need(4);
    this.#position += 4;
    return this.#bytes.readUInt32LE(this.#position - 4);
  }

  f64(): number {
    this.need(8);
    this.#position += 8;
    return this.#bytes.readDoubleLE(this.#position - 8);
  }

  /** Reads an unsigned integer of at most 53 bits. */
  varint(): number {
    return readVarint(this);
  }

  signedVarint(): number {
    return signedOf(readVarint(this));
  }

  /** Reads the next `size` bytes, as a view. */
  bytes(size: number): Buffer {
    this.need(size);
    this.#position += size;
    return this.#bytes.subarray(this.#position - size, this.#position);
  }

  /** Reads a varint length of at most `limit`, then that many bytes, as a view. */
  sizedBytes(limit: number): Buffer {
    const size = this.varint();
    if (size > limit) this.fail(`a length of ${size} (limit: ${limit})`);
    return this.bytes(size);
  }

  /** Reads a varint length of at most `limit` bytes, then UTF-8. */
  text(limit: number): string {
    return utf8Text(this.sizedBytes(limit));
  }
}
