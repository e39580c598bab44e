import { type Slicing, WorkSlice } from '@tidemark/ports';
import type { SharedLock } from '../state/shared-lock.ts';

/** How long a commit waits for the first collection of a query, ms; twice as long for each further one. */
const PATIENCE_MS = 500;

/** Ends a collection for which a commit waits; the query continues with another one. */
class CommitWaits extends Error {}

/**
 * Collects under the lock. A commit that waits for too long ends the collection, which begins again after the commit:
 * while a commit waits, no record is applied, and completeness of the whole partition does not advance. Commits may follow
 * each other without a pause, as those of a bucket that closes do, so each further collection is given twice the time:
 * one of them comes to its end, and those before it cost about as much again. Error: the reason of `signal`, such as the
 * query's deadline.
 */
export async function collectUnlessCommitWaits<T>(
  lock: SharedLock,
  slicing: Slicing | undefined,
  signal: AbortSignal | undefined,
  collect: (slice: WorkSlice) => Promise<T>,
): Promise<T> {
  for (let patienceMs = PATIENCE_MS; ; patienceMs *= 2) {
    try {
      return await lock.read(() => collect(new WorkSlice(slicing, signal, limitOf(patienceMs, lock, slicing))));
    } catch (error) {
      if (!(error instanceof CommitWaits)) throw error;
    }
  }
}

function limitOf(patienceMs: number, lock: SharedLock, slicing: Slicing | undefined): () => Error | undefined {
  let waitsSinceMs: number | undefined;
  return () => {
    if (slicing === undefined || !lock.isWriterWaiting) return undefined;
    const nowMs = slicing.clock.monotonicMs();
    waitsSinceMs ??= nowMs;
    return nowMs - waitsSinceMs >= patienceMs ? new CommitWaits() : undefined;
  };
}
