import type { BatchOutcome, GatheredBatch } from './gathered-batch.ts';

/** Where the points of a request go: into batches with those of others, or into a batch of the request alone. */
export interface BatchTarget {
  /** The batch that is being gathered; another one may replace it at each `added`. */
  readonly gathering: GatheredBatch;
  /** Must follow points that were added to `gathering`; `settled` is called with the outcome of their batch. */
  added(settled: BatchOutcome): void;
  /** All points of the request are added. */
  complete(): void;
}
