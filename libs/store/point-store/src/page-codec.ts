import { FoldKernel } from '@tidemark/fold';
import { PageDecoder, PageKernel, PageWriter } from '@tidemark/page';
import { RecentBudget } from './recent-budget.ts';

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
  /** Of the newest pages of all partitions. */
  readonly recent = new RecentBudget();
  #occupant: Occupant | undefined;

  /**
   * Gives the memory of the decoder behind its scratch to a fold, until another one takes it. Returns false if the fold has
   * it already.
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
