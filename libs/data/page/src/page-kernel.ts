import { EXPONENT_LIMIT } from './column-entry.ts';
import { PAGE_WASM } from './generated/page.ts';
import { ValueBlocks } from './value-blocks.ts';

const compiled = new WebAssembly.Module(Buffer.from(PAGE_WASM, 'base64'));

const WASM_PAGE_BYTES = 65_536;
/** Where the kernel's own constants end. */
const HEAP = 2048;
const UNPACK = 256;
const UNPACK_WIDTHS = 25;
const UNPACK_BYTES = 64;
/** The loops read, and write, so many bytes behind what they are given. */
export const SLACK_BYTES = 128;

/** The loops of page.wat. Addresses are bytes of the kernel's memory. */
interface Loops {
  copyColumn(from: number, count: number, to: number): number;
  encodeColumn(values: number, count: number, scratch: number, table: number, out: number): number;
  decodeColumn(table: number, body: number, count: number, to: number): void;
  decodeSlots(pages: number, end: number, slot: number, to: number): number;
  gatherRows(value: number, stride: number, rows: number, to: number): void;
  gatherBlocks(block: number, count: number, to: number): void;
  hashPoints(seeds: number, times: number, values: number, count: number): void;
}

/** The compiled loops of pages and the memory that they work in. One for each thread. */
export class PageKernel {
  readonly loops: Loops;
  /** The blocks of values that `gatherBlocks` reads. */
  readonly blocks: ValueBlocks;
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  bytes: Uint8Array<ArrayBuffer>;
  floats: Float64Array<ArrayBuffer>;
  words: Uint32Array<ArrayBuffer>;

  constructor(blocks = new ValueBlocks()) {
    this.blocks = blocks;
    const memories = { bytes: this.memory, blocks: blocks.memory };
    this.loops = new WebAssembly.Instance(compiled, { tidemark: memories }).exports as Loops;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.floats = new Float64Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
    const view = new DataView(this.memory.buffer);
    for (let e = 0; e <= EXPONENT_LIMIT; e++) view.setFloat64(8 * e, Number(`1e${e}`), true);
    for (let width = 0; width <= UNPACK_WIDTHS; width++) writeUnpacking(view, width);
  }

  /** The first address that callers may use, a multiple of 16. */
  get start(): number {
    return HEAP;
  }

  /** Makes room up to `end`, and slack behind it. Views that were taken before are gone when the memory grows. */
  reserve(end: number): void {
    const wanted = end + SLACK_BYTES;
    if (wanted <= this.bytes.length) return;
    const pages = Math.ceil((wanted - this.bytes.length) / WASM_PAGE_BYTES);
    this.memory.grow(Math.max(pages, Math.ceil(this.bytes.length / WASM_PAGE_BYTES / 2)));
    this.bytes = new Uint8Array(this.memory.buffer);
    this.floats = new Float64Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
  }
}

/** How eight integers of `width` bits, of two loads of 16 bytes, become lanes of 32 bits with 7 bits below each. */
function writeUnpacking(view: DataView, width: number): void {
  const at = UNPACK + width * UNPACK_BYTES;
  for (let half = 0; half < 2; half++) {
    // The second load begins at the byte in which the fifth integer begins.
    const skew = half === 0 ? 0 : (4 * width) & 7;
    for (let lane = 0; lane < 4; lane++) {
      const bit = skew + lane * width;
      for (let byte = 0; byte < 4; byte++)
        view.setUint8(at + 32 * half + 4 * lane + byte, Math.min(15, (bit >> 3) + byte));
      view.setUint32(at + 32 * half + 16 + 4 * lane, 1 << (7 - (bit & 7)), true);
    }
  }
}
