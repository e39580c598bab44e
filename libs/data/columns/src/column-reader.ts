import { readVarint, signedOf } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';
import { PACKING_SLACK_BYTES } from './bit-packing.ts';

const INITIAL_BYTES = 64 * 1024;
/** Size of the reused memory. Larger inputs get memory of their own, so that one of them does not stay resident. */
const STAGED_BYTES = 4 * 1024 * 1024;

/**
 * Reads columns from bytes that may be hostile: a read beyond the end, or a number out of its range, is a TidemarkError
 * of code `data_loss`. The input is copied into memory with slack after its end, so that unpacking reads whole words.
 */
export class ColumnReader {
  readonly #what: string;
  #staged = new Uint8Array(INITIAL_BYTES);
  #stagedView = new DataView(this.#staged.buffer);
  #bytes = this.#staged;
  /** View of the input and its slack; positions are those of the input. */
  view = this.#stagedView;
  position = 0;
  end = 0;

  constructor(what: string) {
    this.#what = what;
  }

  /** Starts to read `source`, of which no reference is kept. */
  open(source: Uint8Array): void {
    const size = source.length + PACKING_SLACK_BYTES;
    if (size > STAGED_BYTES) {
      this.#bytes = new Uint8Array(size);
      this.view = new DataView(this.#bytes.buffer);
    } else {
      if (size > this.#staged.length) {
        this.#staged = new Uint8Array(Math.min(STAGED_BYTES, size * 2));
        this.#stagedView = new DataView(this.#staged.buffer);
      }
      this.#bytes = this.#staged;
      this.view = this.#stagedView;
    }
    this.#bytes.set(source);
    this.position = 0;
    this.end = source.length;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  fail(message: string): never {
    throw new TidemarkError('data_loss', `${this.#what}: ${message} (at byte ${this.position})`, {
      what: this.#what,
      position: this.position,
    });
  }

  /** Skips `size` bytes, which must exist, and returns their start. */
  take(size: number): number {
    const at = this.position;
    if (size > this.end - at) this.fail(`${size} bytes expected, ${this.end - at} left`);
    this.position = at + size;
    return at;
  }

  u8(): number {
    return this.#bytes[this.take(1)];
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** Reads an unsigned integer of at most 53 bits, as LEB128. */
  varint(): number {
    return readVarint(this);
  }

  signedVarint(): number {
    return signedOf(readVarint(this));
  }

  /** Reads a varint of at most `limit`. */
  count(limit: number, what: string): number {
    const value = this.varint();
    if (value > limit) this.fail(`${value} ${what} (limit: ${limit})`);
    return value;
  }
}
