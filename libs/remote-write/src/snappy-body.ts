import { TidemarkError } from '@tidemark/ports';
import { malformed } from './write-error.ts';

/** Memory kept from one body to the next; what a larger one takes is let go of. */
const KEPT_BYTES = 8 * 1024 * 1024;
const LONGEST_COPY = 64;
/** So much may be written, and read, behind the last byte. */
const SLACK_BYTES = LONGEST_COPY;
const LITERAL = 0;
const COPY_NEAR = 1;
const COPY_FAR = 2;

/**
 * Uncompresses bodies in Snappy's block format (google/snappy, format_description.txt) into memory that is used again:
 * what a call returns is overwritten by the next. A body of 1.5 MB that is new memory each time costs as much again in
 * page faults and garbage collection as its uncompressing.
 */
export class SnappyReader {
  #in = new Uint8Array(0);
  #inView = new DataView(this.#in.buffer);
  #out = new Uint8Array(0);
  #outView = new DataView(this.#out.buffer);

  /**
   * The length that a body claims is checked before memory is taken for it. Throws `invalid_argument`, with reason
   * `raw_too_large` when it is beyond `rawBytes`.
   */
  read(body: Uint8Array, rawBytes: number): Uint8Array {
    const length = claimedLength(body);
    if (length > rawBytes) {
      const message = `rawBytes: ${length} bytes uncompressed (limit: ${rawBytes} bytes)`;
      throw new TidemarkError('invalid_argument', message, {
        reason: 'raw_too_large',
        field: 'rawBytes',
        limit: rawBytes,
      });
    }
    // No element gives more than 64 bytes: what claims more is not worth the memory.
    if (length > body.length * LONGEST_COPY) throw malformed('snappy', `${length} bytes claimed of ${body.length}`);
    this.#reserve(body.length, length);
    this.#in.set(body);
    this.#uncompress(headBytes(body), body.length, length);
    const raw = this.#out.subarray(0, length);
    if (this.#out.length > KEPT_BYTES || this.#in.length > KEPT_BYTES) this.#letGo();
    return raw;
  }

  /** Reads elements from `start` to `end` of the input until there are `length` bytes, and not one more. */
  #uncompress(start: number, end: number, length: number): void {
    const input = this.#in;
    const inView = this.#inView;
    const out = this.#out;
    const outView = this.#outView;
    let from = start;
    let at = 0;
    while (from < end) {
      const tag = input[from++];
      const kind = tag & 3;
      if (kind === LITERAL) {
        let size = (tag >>> 2) + 1;
        if (size > 60) {
          const sizeBytes = size - 60;
          size = 1;
          for (let i = 0; i < sizeBytes; i++) size += input[from + i] * 2 ** (8 * i);
          from += sizeBytes;
        }
        if (size > end - from || size > length - at) throw malformed('snappy', `${size} bytes at byte ${from}`);
        if (size <= 16) {
          outView.setBigUint64(at, inView.getBigUint64(from, true), true);
          outView.setBigUint64(at + 8, inView.getBigUint64(from + 8, true), true);
        } else {
          out.set(input.subarray(from, from + size), at);
        }
        from += size;
        at += size;
        continue;
      }
      let size = (tag >>> 2) + 1;
      let distance: number;
      if (kind === COPY_FAR) {
        distance = inView.getUint16(from, true);
        from += 2;
      } else if (kind === COPY_NEAR) {
        size = 4 + ((tag >>> 2) & 7);
        distance = ((tag >>> 5) << 8) | input[from++];
      } else {
        distance = inView.getUint32(from, true);
        from += 4;
      }
      if (distance === 0 || distance > at || size > length - at) {
        throw malformed('snappy', `a copy of ${size} bytes from ${distance} before byte ${at}`);
      }
      if (distance >= 8) copyWords(outView, at, at - distance, size);
      else for (let i = at; i < at + size; i++) out[i] = out[i - distance];
      at += size;
    }
    if (from !== end || at !== length) throw malformed('snappy', `${at} bytes, ${length} are claimed`);
  }

  #reserve(inBytes: number, outBytes: number): void {
    if (this.#in.length < inBytes + SLACK_BYTES) {
      this.#in = new Uint8Array(inBytes * 2 + SLACK_BYTES);
      this.#inView = new DataView(this.#in.buffer);
    }
    if (this.#out.length < outBytes + SLACK_BYTES) {
      this.#out = new Uint8Array(outBytes + SLACK_BYTES);
      this.#outView = new DataView(this.#out.buffer);
    }
  }

  #letGo(): void {
    this.#in = new Uint8Array(0);
    this.#inView = new DataView(this.#in.buffer);
    this.#out = new Uint8Array(0);
    this.#outView = new DataView(this.#out.buffer);
  }
}

/**
 * Copies up to 64 bytes in words, and more than asked for: what is behind is written next. Words may overlap what they
 * are copied from by all but their own length, since they go front to back.
 */
function copyWords(view: DataView, to: number, from: number, size: number): void {
  view.setBigUint64(to, view.getBigUint64(from, true), true);
  view.setBigUint64(to + 8, view.getBigUint64(from + 8, true), true);
  if (size <= 16) return;
  view.setBigUint64(to + 16, view.getBigUint64(from + 16, true), true);
  view.setBigUint64(to + 24, view.getBigUint64(from + 24, true), true);
  if (size <= 32) return;
  view.setBigUint64(to + 32, view.getBigUint64(from + 32, true), true);
  view.setBigUint64(to + 40, view.getBigUint64(from + 40, true), true);
  if (size <= 48) return;
  view.setBigUint64(to + 48, view.getBigUint64(from + 48, true), true);
  view.setBigUint64(to + 56, view.getBigUint64(from + 56, true), true);
}

/** The block format begins with the uncompressed length, a varint of 32 bits. */
function claimedLength(body: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5 && i < body.length; i++) {
    length += (body[i] & 0x7f) * 2 ** (7 * i);
    if (body[i] < 0x80) return length;
  }
  throw malformed('snappy', 'no length in front');
}

function headBytes(body: Uint8Array): number {
  return body.findIndex((byte) => byte < 0x80) + 1;
}
