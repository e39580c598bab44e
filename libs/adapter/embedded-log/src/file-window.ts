import type { DiskFile, ReusedMemory } from '@tidemark/ports';
import { RECORD_HEADER_BYTES, RECORD_MAGIC, type RecordHeader, readRecordHeader } from './record-format.ts';

const WALK_BYTES = 256 * 1024;
/** Window of a walk over headers, bytes: between large values it needs little of the file. */
const SKIP_BYTES = 4 * 1024;
const LARGE_VALUE_BYTES = 32 * 1024;

export interface FoundRecord {
  readonly position: number;
  readonly header: RecordHeader;
}

/** A part of a file in memory that moves with a walk from record to record. */
export class FileWindow {
  readonly #file: DiskFile;
  readonly #salt: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #windowBytes = WALK_BYTES;

  constructor(file: DiskFile, salt: number) {
    this.#file = file;
    this.#salt = salt;
  }

  /** The header of the record at `position`, or undefined when there is no whole header. */
  async header(position: number): Promise<RecordHeader | undefined> {
    if (position < this.#start || position + RECORD_HEADER_BYTES > this.#start + this.#buffer.length) {
      await this.#move(position, this.#windowBytes);
    }
    const header = readRecordHeader(this.#buffer, position - this.#start, this.#salt);
    if (header !== undefined) this.#windowBytes = header.valueBytes > LARGE_VALUE_BYTES ? SKIP_BYTES : WALK_BYTES;
    return header;
  }

  /** The first record at or after `position` whose header is whole and passes `accept`. */
  async search(position: number, accept: (header: RecordHeader) => boolean): Promise<FoundRecord | undefined> {
    let from = position;
    while (true) {
      await this.#move(from, WALK_BYTES);
      if (this.#buffer.length < RECORD_HEADER_BYTES) return undefined;
      for (let at = this.#buffer.indexOf(RECORD_MAGIC); at >= 0; at = this.#buffer.indexOf(RECORD_MAGIC, at + 1)) {
        const header = readRecordHeader(this.#buffer, at, this.#salt);
        if (header !== undefined && accept(header)) return { position: this.#start + at, header };
      }
      // The windows overlap by the size of a header less one byte.
      from = this.#start + this.#buffer.length - RECORD_HEADER_BYTES + 1;
    }
  }

  async #move(position: number, bytes: number): Promise<void> {
    this.#buffer = await readAt(this.#file, position, bytes);
    this.#start = position;
  }
}

/** Up to `bytes` bytes at `position`, in `memory` if there is one; fewer at the end of the file. */
export async function readAt(file: DiskFile, position: number, bytes: number, memory?: ReusedMemory): Promise<Buffer> {
  const buffer = memory?.take(bytes) ?? Buffer.allocUnsafeSlow(bytes);
  return buffer.subarray(0, await file.read(buffer, position));
}
