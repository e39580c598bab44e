import { LABEL_HASH_WASM } from './generated/label-hash.ts';

/** A page of WebAssembly memory. */
export const PAGE_BYTES = 64 * 1024;
/** The first block has the key of the hash, and a place for what is to be hashed, whose last word is read whole. */
const SCRATCH = 64;
const WORD_BYTES = 8;
export const KEY_BYTES = 16;
const NOTHING = new DataView(new ArrayBuffer(0));

const compiled = new WebAssembly.Module(Buffer.from(LABEL_HASH_WASM, 'base64'));

/** What holds blocks, and can do without them. */
export interface BlockHolder {
  readonly blocks: number;
  /** Gives all blocks back. */
  clear(): void;
}

/**
 * The memory in which all tenants' labels are remembered, in blocks, where compiled code can compare them. It is bounded
 * as a whole: when all blocks are taken, whoever holds most starts over, so that one tenant's series do not cost the
 * others theirs.
 */
export class LabelMemory {
  readonly memory: WebAssembly.Memory;
  readonly blockBytes: number;
  readonly #limitBlocks: number;
  readonly #holders = new Set<BlockHolder>();
  readonly #free: number[] = [];
  readonly #hash: (at: number, length: number) => number;
  /** The first block is nobody's: its address, 0, stands for none. */
  #blocks = 1;
  #bytes = new Uint8Array(0);
  #view = NOTHING;

  /**
   * A memory of up to `limitBytes`, and of a block at least. `key`, 16 random bytes, keeps senders from choosing what
   * collides.
   */
  constructor(limitBytes: number, key: Uint8Array, blockBytes = PAGE_BYTES) {
    this.blockBytes = blockBytes;
    this.#limitBlocks = 1 + Math.max(1, Math.floor(limitBytes / blockBytes));
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: pages(this.#limitBlocks * blockBytes) });
    this.#look();
    this.#bytes.set(key.subarray(0, KEY_BYTES));
    const { exports } = new WebAssembly.Instance(compiled, { tidemark: { labels: this.memory } });
    this.#hash = (exports as { hash: (at: number, length: number) => number }).hash;
  }

  /** Labels that are longer can't be hashed, nor remembered. */
  get longest(): number {
    return this.blockBytes - SCRATCH - WORD_BYTES;
  }

  /** The hash of `length` bytes of `view` at `at`, 32 bits; at most `longest`. */
  hash(view: DataView, at: number, length: number): number {
    this.#bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, length), SCRATCH);
    return this.#hash(SCRATCH, length);
  }

  /** Changes when the memory grows. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get view(): DataView {
    return this.#view;
  }

  join(holder: BlockHolder): void {
    this.#holders.add(holder);
  }

  /** Gives a holder's blocks to others; it takes none afterwards. */
  leave(holder: BlockHolder): void {
    holder.clear();
    this.#holders.delete(holder);
  }

  /** The address of a block that nobody has. Another holder, or the one that asks, may have lost all of theirs. */
  take(): number {
    if (this.#free.length === 0 && this.#blocks === this.#limitBlocks) this.#greatest()?.clear();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#grow();
    return this.#blocks++ * this.blockBytes;
  }

  give(blocks: readonly number[]): void {
    this.#free.push(...blocks);
  }

  #greatest(): BlockHolder | undefined {
    let greatest: BlockHolder | undefined;
    for (const holder of this.#holders) {
      if (greatest === undefined || holder.blocks > greatest.blocks) greatest = holder;
    }
    return greatest;
  }

  /** By an eighth at a time: each growth detaches the views of before. */
  #grow(): void {
    if ((this.#blocks + 1) * this.blockBytes <= this.#bytes.length) return;
    const has = pages(this.#bytes.length);
    this.memory.grow(Math.min(pages(this.#limitBlocks * this.blockBytes) - has, 1 + (has >> 3)));
    this.#look();
  }

  #look(): void {
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
  }
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}
