const MIN_DERIVED_MS = 100;
const MAX_DERIVED_MS = 10_000;

/**
 * The flush interval that a client derives from lateness bound `latenessMs` (D): a third of it, between 100 ms and 10 s.
 * A point that is recorded at the start of the interval then has two thirds of D for transit and clock skew.
 */
export function derivedFlushIntervalMs(latenessMs: number): number {
  return Math.min(MAX_DERIVED_MS, Math.max(MIN_DERIVED_MS, Math.floor(latenessMs / 3)));
}

/** The longest flush interval that leaves a third of lateness bound `latenessMs` (D) for transit and clock skew. */
export function maxFlushIntervalMs(latenessMs: number): number {
  return Math.floor((latenessMs * 2) / 3);
}
