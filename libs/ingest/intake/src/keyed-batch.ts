import type { BatchTarget } from './batch-target.ts';
import { type BatchOutcome, GatheredBatch, type SpareParts } from './gathered-batch.ts';
import type { RequestKey } from './request-key.ts';
import type { TenantBatcher } from './tenant-batcher.ts';

/**
 * Batch of one request alone. Its shares have the stamp of the request's key, by which stores drop a repetition.
 * request-key.test.ts covers it.
 */
export class KeyedBatch implements BatchTarget {
  readonly gathering: GatheredBatch;
  readonly #batcher: TenantBatcher;
  readonly #key: RequestKey;

  constructor(batcher: TenantBatcher, key: RequestKey, spares: SpareParts) {
    this.#batcher = batcher;
    this.#key = key;
    this.gathering = new GatheredBatch(spares);
  }

  added(settled: BatchOutcome): void {
    this.gathering.expect(settled);
  }

  complete(): void {
    if (!this.gathering.isEmpty) this.#batcher.sendKeyed(this.gathering, this.#key);
  }
}
