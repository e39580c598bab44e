import { ByteWriter } from '@tidemark/bytes';

/** Bytes from which on a chunk is taken. */
const CHUNK_BYTES = 256 * 1024;

/** The bytes of a segment in their order, in chunks that its sink takes. */
export class ChunkedOutput {
  readonly #out = new ByteWriter(CHUNK_BYTES);
  #taken = 0;

  /** Bytes of the segment so far. */
  get position(): number {
    return this.#taken + this.#out.length;
  }

  /** Appends bytes; returns where they are in the segment. */
  append(bytes: Uint8Array): number {
    const at = this.position;
    this.#out.bytes(bytes);
    return at;
  }

  /** The chunk that is complete, if there is one. */
  *chunks(): Generator<Buffer> {
    if (this.#out.length >= CHUNK_BYTES) yield this.rest();
  }

  /** All bytes that were not taken. */
  rest(): Buffer {
    this.#taken += this.#out.length;
    return this.#out.takeApart();
  }
}
