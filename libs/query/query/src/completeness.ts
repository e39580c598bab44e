/**
 * Through when an answer is complete: the least watermark of the parts it needs, less the lateness bound. One part
 * that failed, or that never had a watermark, and nothing is known to be complete.
 */
export class Completeness {
  #leastWatermarkMs = Number.POSITIVE_INFINITY;
  #isUnknown = false;

  /** A part has answered with every point accepted before this watermark; undefined when it has none yet. */
  add(watermarkMs: number | undefined): void {
    if (watermarkMs === undefined) this.#isUnknown = true;
    else this.#leastWatermarkMs = Math.min(this.#leastWatermarkMs, watermarkMs);
  }

  /** A part that is needed did not answer. */
  miss(): void {
    this.#isUnknown = true;
  }

  /** Everything with a timestamp before this is in the answer, ms; undefined when nothing is known. */
  throughMs(latenessMs: number): number | undefined {
    if (this.#isUnknown || !Number.isFinite(this.#leastWatermarkMs)) return undefined;
    return this.#leastWatermarkMs - latenessMs;
  }
}
