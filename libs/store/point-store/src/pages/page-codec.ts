import { FoldKernel, ProgramMaker } from '@tidemark/fold';
import { PAGE_TIMES_LIMIT, PageDecoder, PageKernel, PageWriter } from '@tidemark/page';
import { PageBudget } from './page-budget.ts';

/** Values that decoding may write behind a column. */
export const VALUES_BEHIND = 16;
/** Bytes of the values of `count` points, and of what decoding writes behind them: a multiple of 16. */
export function columnBytes(count: number): number {
  return 8 * ((count + VALUES_BEHIND + 1) & ~1);
}

/** The same of a slot that has as many points as it may have. */
export const COLUMN_BYTES = columnBytes(PAGE_TIMES_LIMIT);
/** Bytes of two seeds and two sums of a hash. */
export const HASH_STATE_BYTES = 32;
/** Bytes of a PointHash: its state, and two columns. */
const HASH_BYTES = HASH_STATE_BYTES + 2 * COLUMN_BYTES;

/** A fold that has something in the memory of the decoder while others have their turns. */
export interface Occupant {
  /** Copies what it needs out of the memory, which another one takes. */
  leave(): void;
}

/**
 * What pages are written and read with: one for all partitions of a thread, since a memory of
 * WebAssembly reserves 8 GiB of addresses. Pages are decoded while one is being written, which may be large, so that the two
 * have different memory.
 */
export class PageCodec {
  /** Of the head and the writer. */
  readonly kernel = new PageKernel();
  readonly writer = new PageWriter(this.kernel);
  readonly decoder = new PageDecoder(new PageKernel(this.kernel.blocks));
  /** Folds in the memory of the decoder, behind its pages. */
  readonly folds = new FoldKernel(this.decoder.kernel);
  /** Makes what `folds` runs, in the same memory. */
  readonly programs = new ProgramMaker(this.decoder.kernel);
  /** Of the pages that all partitions have in RAM. */
  readonly pageBudget = new PageBudget();
  /**
   * Addresses of the decoder's memory behind its pages. One column, and the state of a hash, are used within a call. What folds
   * have there stays while others have their turns, so it is behind these.
   */
  readonly columnAt = this.decoder.freeAt;
  readonly hashAt = this.columnAt + COLUMN_BYTES;
  readonly foldAt = this.hashAt + HASH_BYTES;
  #occupant: Occupant | undefined;

  /** Bytes that points had before they were committed, for those to come. */
  get freeHeadBytes(): number {
    return this.kernel.blocks.freeBytes;
  }

  /**
   * Gives the memory of the decoder from `foldAt` on to a fold, until another one takes it. Returns false if the fold has it
   * already.
   */
  occupy(one: Occupant): boolean {
    if (one === this.#occupant) return false;
    this.#occupant?.leave();
    this.#occupant = one;
    return true;
  }

  /** The fold has come to its end, and leaves nothing in the memory. */
  vacate(one: Occupant): void {
    if (one === this.#occupant) this.#occupant = undefined;
  }
}
