import { SIP_KEY_BYTES, SipHash } from '@tidemark/bytes';

/** A page of WebAssembly memory. */
export const PAGE_BYTES = 64 * 1024;
/** Bytes of the first block for the key of the hash and the hashed bytes, whose last word is read whole. */
const SCRATCH = 64;
const WORD_BYTES = 8;
export const KEY_BYTES = SIP_KEY_BYTES;
const NOTHING = new DataView(new ArrayBuffer(0));

/** An object that holds blocks and can release them. */
export interface BlockHolder {
  readonly blocks: number;
  /** Releases all blocks. */
  clear(): void;
}

/**
 * Memory for the labels of all tenants, in blocks, where compiled code can compare them. It is bounded as a whole: when
 * all blocks are in use, the holder with the most blocks is cleared, so that the series of one tenant do not evict
 * those of the others.
 */
export class LabelMemory {
  readonly memory: WebAssembly.Memory;
  readonly blockBytes: number;
  readonly #limitBlocks: number;
  readonly #holders = new Set<BlockHolder>();
  readonly #free: number[] = [];
  readonly #sipHash: SipHash;
  /** The first block has no holder: its address, 0, means no block. */
  #blocks = 1;
  #bytes = new Uint8Array(0);
  #view = NOTHING;

  /**
   * Creates a memory of up to `limitBytes`, and of at least one block. `key`, 16 random bytes, prevents senders from
   * choosing labels that collide.
   */
  constructor(limitBytes: number, key: Uint8Array, blockBytes = PAGE_BYTES) {
    this.blockBytes = blockBytes;
    this.#limitBlocks = 1 + Math.max(1, Math.floor(limitBytes / blockBytes));
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: pages(this.#limitBlocks * blockBytes) });
    this.#refreshViews();
    this.#sipHash = new SipHash(this.memory, key);
  }

  /** Max bytes of labels that can be hashed and stored. */
  get longest(): number {
    return this.blockBytes - SCRATCH - WORD_BYTES;
  }

  /** Returns the 32-bit hash of `length` bytes of `view` at `at`, up to `longest` bytes. */
  hash(view: DataView, at: number, length: number): number {
    this.#bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, length), SCRATCH);
    return this.#sipHash.hash(SCRATCH, length);
  }

  /** The bytes of the memory. The array changes when the memory grows. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get view(): DataView {
    return this.#view;
  }

  join(holder: BlockHolder): void {
    this.#holders.add(holder);
  }

  /** Removes a holder and releases its blocks. It must not allocate blocks afterwards. */
  leave(holder: BlockHolder): void {
    holder.clear();
    this.#holders.delete(holder);
  }

  /**
   * Allocates a block and returns its address. Any holder, including the caller, may have lost all its blocks
   * afterwards.
   */
  allocate(): number {
    if (this.#free.length === 0 && this.#blocks === this.#limitBlocks) this.#largestHolder()?.clear();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#grow();
    return this.#blocks++ * this.blockBytes;
  }

  give(blocks: readonly number[]): void {
    this.#free.push(...blocks);
  }

  #largestHolder(): BlockHolder | undefined {
    let largest: BlockHolder | undefined;
    for (const holder of this.#holders) {
      if (largest === undefined || holder.blocks > largest.blocks) largest = holder;
    }
    return largest;
  }

  /** Grows by an eighth at a time, since each growth detaches the earlier views. */
  #grow(): void {
    if ((this.#blocks + 1) * this.blockBytes <= this.#bytes.length) return;
    const has = pages(this.#bytes.length);
    this.memory.grow(Math.min(pages(this.#limitBlocks * this.blockBytes) - has, 1 + (has >> 3)));
    this.#refreshViews();
  }

  #refreshViews(): void {
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
  }
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}
