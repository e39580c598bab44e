import { FoldKernel } from '@tidemark/fold';
import { PageDecoder, PageKernel, PageWriter } from '@tidemark/page';

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
}
