import { type BatchOutcome, GatheredBatch, type SpareParts } from './gathered-batch.ts';
import type { RequestKey } from './request-key.ts';
import type { RequestScope } from './request-scope.ts';

/** The batch of one request alone, whose shares have the stamp of its key: so stores know them when they come again. */
export class KeyedBatch {
  readonly gathering: GatheredBatch;
  readonly #scope: RequestScope;
  readonly #key: RequestKey;

  constructor(scope: RequestScope, key: RequestKey, spares: SpareParts) {
    this.#scope = scope;
    this.#key = key;
    this.gathering = new GatheredBatch(spares);
  }

  /** Points were added to `gathering`; `settled` is told what becomes of them. */
  added(settled: BatchOutcome): void {
    this.gathering.waiting.push(settled);
  }

  /** All points are added. */
  send(): void {
    if (!this.gathering.isEmpty) this.#scope.sendKeyed(this.gathering, this.#key);
  }
}
