import type { BatchOutcome, GatheredBatch } from './gathered-batch.ts';

/** Destination of a request's points: batches with those of other requests, or a batch of the request alone. */
export interface BatchTarget {
  /** The batch that is being gathered. Each `added` may replace it. */
  readonly gathering: GatheredBatch;
  /** Must follow points that were added to `gathering`. `settled` is called with the outcome of their batch. */
  added(settled: BatchOutcome): void;
  /** Marks that all points of the request were added. */
  complete(): void;
}
