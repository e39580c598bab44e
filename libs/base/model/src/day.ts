export const DAY_MS = 86_400_000;

/** The UTC day of a timestamp: whole days since the Unix epoch. */
export function dayOf(timestampMs: number): number {
  return Math.floor(timestampMs / DAY_MS);
}
