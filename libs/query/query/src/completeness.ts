/**
 * The completeness of an answer: the lowest watermark of the parts that it needs, minus the lateness bound, and for
 * counters no more than their oldest last reading. It is unknown if one part failed or never had a watermark.
 */
export class Completeness {
  #minWatermarkMs = Number.POSITIVE_INFINITY;
  #knownMs = Number.POSITIVE_INFINITY;
  #isUnknown = false;

  /** Adds a part that answered with every point accepted before this watermark; undefined when it has none yet. */
  add(watermarkMs: number | undefined): void {
    if (watermarkMs === undefined) this.#isUnknown = true;
    else this.#minWatermarkMs = Math.min(this.#minWatermarkMs, watermarkMs);
  }

  /** Limits completeness to a time, ms, even below the watermarks: what follows it depends on points to come. */
  limit(knownThroughMs: number): void {
    this.#knownMs = Math.min(this.#knownMs, knownThroughMs);
  }

  /** Records that a part that is needed did not answer. */
  miss(): void {
    this.#isUnknown = true;
  }

  /** Returns the completeness of both together. */
  with(other: Completeness): Completeness {
    const both = new Completeness();
    both.#isUnknown = this.#isUnknown || other.#isUnknown;
    both.#minWatermarkMs = Math.min(this.#minWatermarkMs, other.#minWatermarkMs);
    both.#knownMs = Math.min(this.#knownMs, other.#knownMs);
    return both;
  }

  /** Everything with a timestamp before this is in the answer, ms; undefined when nothing is known. */
  throughMs(latenessMs: number): number | undefined {
    if (this.#isUnknown || !Number.isFinite(this.#minWatermarkMs)) return undefined;
    return Math.min(this.#minWatermarkMs - latenessMs, this.#knownMs);
  }
}
