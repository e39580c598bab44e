import { type Clock, sleep } from '@tidemark/ports';
import type { ClusterView } from './cluster-view.ts';
import type { Failure } from './kafka-error.ts';

const FIRST_REST_MS = 20;
const LONGEST_REST_MS = 250;

/** The parts that the attempts of one operation share. */
export interface AttemptParts {
  readonly view: ClusterView;
  readonly clock: Clock;
  /** No further attempt begins after this long. */
  readonly retryMs: number;
}

/**
 * Repeats `once` while its failures are transient, and refreshes the view of the cluster where a failure says that
 * leaders moved. Throws the last failure's error.
 */
export async function attempts<T>(
  { view, clock, retryMs }: AttemptParts,
  once: () => Promise<T>,
  understand: (thrown: unknown) => Failure,
  signal?: AbortSignal,
): Promise<T> {
  const startMs = clock.monotonicMs();
  let restMs = FIRST_REST_MS;
  for (;;) {
    try {
      return await once();
    } catch (thrown) {
      const failure = understand(thrown);
      if (failure.isStale) view.expire();
      const isOver = signal?.aborted || clock.monotonicMs() + restMs - startMs > retryMs;
      if (!failure.isPassing || isOver) throw failure.error;
    }
    await sleep(clock, restMs, signal);
    restMs = Math.min(2 * restMs, LONGEST_REST_MS);
  }
}
