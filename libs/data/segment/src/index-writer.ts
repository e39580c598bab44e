import { ByteWriter, crc32c } from '@tidemark/bytes';
import { BlockWriter } from './index-block.ts';
import { BLOCK_BYTES } from './segment-format.ts';
import type { SegmentGroup } from './segment-group.ts';
import { writeBlockPlace } from './top-index.ts';

/** The index of a segment, in memory until its pages are written. */
export class IndexWriter {
  readonly #block: BlockWriter;
  /** The first group of the block that is being written. */
  #first: SegmentGroup | undefined;
  readonly #blocks: Buffer[] = [];
  readonly #top = new ByteWriter();
  #blocksBytes = 0;

  constructor(dayStartMs: number) {
    this.#block = new BlockWriter(dayStartMs);
  }

  /** Bytes of blocks so far, and of the index of blocks. */
  get sizeBytes(): number {
    return this.#blocksBytes + this.#block.length + this.#top.length;
  }

  get topIndexBytes(): number {
    return this.#top.length;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  add(group: SegmentGroup): void {
    this.#first ??= group;
    this.#block.add(group);
    if (this.#block.length >= BLOCK_BYTES) this.#finishBlock();
  }

  /** The blocks, and the index of blocks, once all groups were added. */
  finish(): { readonly blocks: readonly Buffer[]; readonly topIndex: Buffer } {
    if (this.#first !== undefined) this.#finishBlock();
    return { blocks: this.#blocks, topIndex: this.#top.take() };
  }

  #finishBlock(): void {
    const first = this.#first;
    if (first === undefined) return;
    const bytes = this.#block.take();
    this.#first = undefined;
    this.#blocks.push(bytes);
    this.#blocksBytes += bytes.length;
    const { tenant, metric, seriesClass, firstId } = first;
    writeBlockPlace({ tenant, metric, seriesClass, firstId, length: bytes.length, crc32c: crc32c(bytes) }, this.#top);
  }
}
