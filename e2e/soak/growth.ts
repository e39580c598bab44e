/** A figure at a time: bytes or entries. */
export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** A straight line through samples. */
export interface Growth {
  readonly perHour: number;
  /** Standard error of `perHour`: noise of the samples makes it large. */
  readonly errorPerHour: number;
}

const HOUR_MS = 3_600_000;
/** Standard errors that a growth must exceed a limit by to count as more than noise. */
const CERTAIN_ERRORS = 2;

/** Fits a line by least squares. Without three samples at different times, the growth is unknown: its error is infinite. */
export function growthOf(samples: readonly Sample[]): Growth {
  const { length } = samples;
  const meanMs = samples.reduce((sum, { atMs }) => sum + atMs, 0) / length;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / length;
  let squares = 0;
  let products = 0;
  for (const { atMs, value } of samples) {
    squares += (atMs - meanMs) ** 2;
    products += (atMs - meanMs) * (value - mean);
  }
  if (length < 3 || squares === 0) return { perHour: 0, errorPerHour: Number.POSITIVE_INFINITY };
  const perMs = products / squares;
  let rest = 0;
  for (const { atMs, value } of samples) rest += (value - mean - perMs * (atMs - meanMs)) ** 2;
  const errorPerMs = Math.sqrt(rest / (length - 2) / squares);
  return { perHour: perMs * HOUR_MS, errorPerHour: errorPerMs * HOUR_MS };
}

/** Whether a growth exceeds its limit by more than noise explains. An unknown growth exceeds every limit. */
export function exceeds({ perHour, errorPerHour }: Growth, limitPerHour: number): boolean {
  if (!Number.isFinite(errorPerHour)) return true;
  return perHour - CERTAIN_ERRORS * errorPerHour > limitPerHour;
}
