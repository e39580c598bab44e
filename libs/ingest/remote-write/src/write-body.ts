import { type SlicedWork, TidemarkError } from '@tidemark/ports';
import { type LabelMemory, PAGE_BYTES } from '@tidemark/series-memory';
import { WRITE_BODY_WASM } from './generated/write-body.ts';
import { malformed } from './write-error.ts';

/** Max bytes of memory kept from one body to the next. Memory of a larger body is released completely. */
const KEPT_BYTES = 32 * 1024 * 1024;
/** Uncompressed bytes after which compiled code pauses: it reads or writes them in a few milliseconds. */
const SLICE_BYTES = 1024 * 1024;
/** Result of `uncompress` for a body that is not at its end. */
const PAUSED = -2;
const LONGEST_COPY = 64;
/** Bytes that compiled code may write and read behind the last byte. */
const SLACK_BYTES = LONGEST_COPY;
/** Bytes at the front, which have the values that compiled code returns. */
const HEAD_BYTES = 64;
/** Min bytes of a sample in a body: a tag and a length of 0. */
const SAMPLE_BYTES = 2;
const SAMPLE_COLUMNS_BYTES = 4 + 8 + 8;

/** Exports of write-body.wat. */
interface Compiled {
  readonly body: WebAssembly.Memory;
  uncompress(from: number, end: number, start: number, to: number, toEnd: number, stop: number): number;
  series(
    position: number,
    end: number,
    last: number,
    samples: number,
    handles: number,
    times: number,
    values: number,
    room: number,
  ): number;
}

const compiled = new WebAssembly.Module(Buffer.from(WRITE_BODY_WASM, 'base64'));

/**
 * Memory of one body at a time, which is reused and which compiled code works on: the received body, its uncompressed
 * bytes, and columns for its samples. New memory for each body would cost more than its decompression.
 */
export class WriteBody {
  readonly #labels: LabelMemory;
  readonly #sliceBytes: number;
  #code: Compiled;
  #bytes = new Uint8Array(0);
  #raw = new Uint8Array(0);
  #rawStart = HEAD_BYTES;
  #returned = new Uint32Array(2);
  handles = new Uint32Array(0);
  timesMs = new Float64Array(0);
  values = new Float64Array(0);

  /**
   * Creates the memory for bodies whose labels are compared with those in `labels`. `sliceBytes`: uncompressed bytes that
   * are written or read between two pauses.
   */
  constructor(labels: LabelMemory, sliceBytes = SLICE_BYTES) {
    this.#labels = labels;
    this.#sliceBytes = sliceBytes;
    this.#code = this.#instance();
    this.#setViews(HEAD_BYTES, 0, 0);
  }

  /** The uncompressed bytes, valid until the next call of `uncompress`. */
  get raw(): Uint8Array {
    return this.#raw;
  }

  /**
   * Decompresses a body in Snappy's block format (google/snappy, format_description.txt), received in `parts`. The
   * length that it claims is checked before memory is reserved for it. Throws `invalid_argument`, with reason
   * `raw_too_large` when the length is above `rawBytes`. There is then room for `maxSamples` samples, or for all that
   * the body can have. Yields after each slice of some milliseconds, so that other work can have its turn.
   */
  *uncompress(parts: readonly Uint8Array[], rawBytes: number, maxSamples: number): SlicedWork<void> {
    const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const { length, head } = claimedLength(parts);
    if (length > rawBytes) {
      const message = `rawBytes: ${length} bytes uncompressed (limit: remoteWrite.rawBytes, ${rawBytes})`;
      const detail = { reason: 'raw_too_large', field: 'rawBytes', limit: rawBytes };
      throw new TidemarkError('invalid_argument', message, detail);
    }
    // No element yields more than 64 bytes, so a larger claim is wrong and must not reserve memory.
    if (length > bodyBytes * LONGEST_COPY)
      throw malformed('snappy', `a body of ${bodyBytes} bytes cannot have ${length} uncompressed bytes`);
    const rawStart = align(HEAD_BYTES + bodyBytes + SLACK_BYTES);
    this.#reserve(rawStart, length, Math.min(maxSamples, Math.ceil(length / SAMPLE_BYTES)));
    let end = HEAD_BYTES;
    for (const part of parts) {
      this.#bytes.set(part, end);
      end += part.length;
    }
    let from = HEAD_BYTES + head;
    let to = rawStart;
    let wrong = PAUSED;
    while (wrong === PAUSED) {
      wrong = this.#code.uncompress(from, end, rawStart, to, rawStart + length, to + this.#sliceBytes);
      if (wrong !== PAUSED) break;
      [from, to] = this.#returned;
      yield;
    }
    if (wrong === end) throw malformed('snappy', `the elements do not add up to ${length} bytes`);
    if (wrong !== -1) throw malformed('snappy', `the element at byte ${wrong - HEAD_BYTES} does not fit`);
  }

  /**
   * Reads series from `position` while they are those that follow the entry `last`, and their samples into the columns
   * from `samples` on. Returns the position of the first series that is another one, that has other fields than plain
   * samples, that finds no room, or that ends behind the next slice. Afterwards `samples` and `last` are the
   * number of samples and the last entry.
   */
  series(position: number, last: number, samples: number): number {
    const { byteOffset: handles, length: room } = this.handles;
    const { byteOffset: times } = this.timesMs;
    const { byteOffset: values } = this.values;
    const end = this.#rawStart + Math.min(this.#raw.length, position + this.#sliceBytes);
    return (
      this.#code.series(this.#rawStart + position, end, last, samples, handles, times, values, room) - this.#rawStart
    );
  }

  /** Number of samples after the last call of `series`. */
  get samples(): number {
    return this.#returned[0];
  }

  /** The last entry of the last call of `series`. */
  get last(): number {
    return this.#returned[1];
  }

  /** Releases the memory of an unusually large body. No part of it may be in use. */
  release(): void {
    if (this.#bytes.length <= KEPT_BYTES) return;
    this.#code = this.#instance();
    this.#setViews(HEAD_BYTES, 0, 0);
  }

  #instance(): Compiled {
    const { exports } = new WebAssembly.Instance(compiled, { tidemark: { labels: this.#labels.memory } });
    return exports as Compiled;
  }

  #reserve(rawStart: number, rawLength: number, samples: number): void {
    const bytes = columnsStart(rawStart, rawLength) + samples * SAMPLE_COLUMNS_BYTES;
    const missing = bytes - this.#code.body.buffer.byteLength;
    if (missing > 0) this.#code.body.grow(Math.ceil(missing / PAGE_BYTES));
    this.#setViews(rawStart, rawLength, samples);
  }

  #setViews(rawStart: number, rawLength: number, samples: number): void {
    const { buffer } = this.#code.body;
    const values = columnsStart(rawStart, rawLength);
    const times = values + samples * 8;
    this.#bytes = new Uint8Array(buffer);
    this.#raw = new Uint8Array(buffer, rawStart, rawLength);
    this.#rawStart = rawStart;
    this.#returned = new Uint32Array(buffer, 0, 2);
    this.values = new Float64Array(buffer, values, samples);
    this.timesMs = new Float64Array(buffer, times, samples);
    this.handles = new Uint32Array(buffer, times + samples * 8, samples);
  }
}

function columnsStart(rawStart: number, rawLength: number): number {
  return align(rawStart + rawLength + SLACK_BYTES);
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Reads the uncompressed length at the start of the block format, a varint of 32 bits. */
function claimedLength(parts: readonly Uint8Array[]): { length: number; head: number } {
  let length = 0;
  let head = 0;
  for (const part of parts) {
    for (const byte of part) {
      length += (byte & 0x7f) * 2 ** (7 * head);
      head++;
      if (byte < 0x80) return { length, head };
      if (head === 5) throw malformed('snappy', 'no valid uncompressed length at the start');
    }
  }
  throw malformed('snappy', 'no valid uncompressed length at the start');
}
