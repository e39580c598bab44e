import { type Slicing, TidemarkError, WorkSlice } from '@tidemark/ports';
import type { SharedLock } from './shared-lock.ts';

/** How long a commit waits for a query that collects chunks, ms. */
const PATIENCE_MS = 500;
/** How often a query collects, each time until a commit has waited for so long. */
const TRIES = 3;

/** Ends a collection for which a commit waits; the query continues with another one. */
class CommitWaits extends Error {}

/**
 * Collects under the lock. A commit that waits for longer than `PATIENCE_MS` ends the collection, which begins again
 * after the commit: while a commit waits, no record is applied, and completeness of the whole partition does not advance.
 * Error: `resource_exhausted` when that happened to all tries.
 */
export async function collectUnlessCommitWaits<T>(
  lock: SharedLock,
  slicing: Slicing | undefined,
  signal: AbortSignal | undefined,
  collect: (slice: WorkSlice) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await lock.read(() => collect(new WorkSlice(slicing, signal, patience(lock, slicing))));
    } catch (error) {
      if (!(error instanceof CommitWaits)) throw error;
      if (tries < TRIES) continue;
      const message = `the range takes longer to collect than a commit may wait (limit: ${TRIES} tries); ask for a shorter range, or for fewer series`;
      throw new TidemarkError('resource_exhausted', message, { limit: 'commitWait' });
    }
  }
}

function patience(lock: SharedLock, slicing: Slicing | undefined): () => Error | undefined {
  let waitsSinceMs: number | undefined;
  return () => {
    if (slicing === undefined || !lock.isWriterWaiting) return undefined;
    const nowMs = slicing.clock.monotonicMs();
    waitsSinceMs ??= nowMs;
    return nowMs - waitsSinceMs >= PATIENCE_MS ? new CommitWaits() : undefined;
  };
}
