const WASM_PAGE_BYTES = 65_536;
/** All that a memory of WebAssembly can have, 4 GiB. */
const MEMORY_PAGES = 65_536;
/** Bytes of the smallest piece; each next size is twice as large. */
const SMALLEST_BYTES = 128;
const SIZES = 9;
/** Bytes of the largest piece. */
export const LARGEST_PIECE_BYTES = SMALLEST_BYTES * 2 ** (SIZES - 1);
/** Values of a block, which is a piece of the smallest size. In the place of a sixteenth is the address of the next. */
export const BLOCK_VALUES = 15;
const LINK = 120;

/** Pieces of one memory for columns of values that grow. Addresses are bytes; 0 is none. */
export class ValueBlocks {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MEMORY_PAGES });
  /** All values: those of a piece begin at its address / 8. Another array once a piece was taken. */
  floats = new Float64Array(this.memory.buffer);
  #links = new Uint32Array(this.memory.buffer);
  /** Where memory that no piece had yet begins. */
  #end = LARGEST_PIECE_BYTES;
  /** By size, the newest of the pieces that were given back: each begins with the address of the one before. */
  readonly #free = new Uint32Array(SIZES);
  #usedBytes = 0;

  /** Bytes of the pieces in use. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes of the pieces that were given back. They stay: the memory cannot shrink. */
  get freeBytes(): number {
    return this.#end - LARGEST_PIECE_BYTES - this.#usedBytes;
  }

  /**
   * Makes room for pieces of so many bytes. Where the system gives no more memory, the pieces that were given back have to do:
   * returns false, and changes nothing, if they are fewer.
   */
  reserve(bytes: number): boolean {
    const missing = this.#end + bytes - this.memory.buffer.byteLength;
    if (missing <= 0) return true;
    try {
      this.#grow(missing);
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.freeBytes >= bytes;
    }
  }

  /** A block for further values of a column. */
  takeBlock(): number {
    return this.take(SMALLEST_BYTES);
  }

  /** A piece of at least `bytes`; its content is undefined. */
  take(bytes: number): number {
    const size = sizeOf(bytes);
    const pieceBytes = SMALLEST_BYTES << size;
    const free = this.#free[size];
    if (free !== 0) {
      this.#free[size] = this.#links[free >> 2];
      this.#usedBytes += pieceBytes;
      return free;
    }
    const piece = this.#end;
    const missing = piece + pieceBytes - this.floats.length * 8;
    if (missing > 0) this.#grow(missing);
    this.#end += pieceBytes;
    this.#usedBytes += pieceBytes;
    return piece;
  }

  /** Makes `next` the block behind `block`. */
  link(block: number, next: number): void {
    this.#links[(block + LINK) >> 2] = next;
  }

  /** Gives back a column of blocks, which begins at `first`. */
  releaseBlocks(first: number, blocks: number): void {
    let block = first;
    for (let i = 0; i < blocks; i++) {
      const next = this.#links[(block + LINK) >> 2];
      this.release(block, SMALLEST_BYTES);
      block = next;
    }
  }

  /** Gives back a piece that was taken for `bytes`. */
  release(piece: number, bytes: number): void {
    const size = sizeOf(bytes);
    this.#links[piece >> 2] = this.#free[size];
    this.#free[size] = piece;
    this.#usedBytes -= SMALLEST_BYTES << size;
  }

  /** Throws a RangeError, and changes nothing, where the system gives no more memory, or all is used that WebAssembly can have. */
  #grow(missingBytes: number): void {
    const pages = this.memory.buffer.byteLength / WASM_PAGE_BYTES;
    const missing = Math.ceil(missingBytes / WASM_PAGE_BYTES);
    const more = Math.min(pages >> 1, MEMORY_PAGES - pages);
    try {
      this.memory.grow(Math.max(missing, more));
    } catch (error) {
      if (missing >= more) throw error;
      this.memory.grow(missing);
    }
    this.floats = new Float64Array(this.memory.buffer);
    this.#links = new Uint32Array(this.memory.buffer);
  }
}

function sizeOf(bytes: number): number {
  return Math.max(0, 25 - Math.clz32(bytes - 1));
}
