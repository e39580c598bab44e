import type { RawBatch } from './raw-batch.ts';

/** Of a series that no batch has. */
const NEVER = 2 ** 31 - 1;

/**
 * The known series of a client session: every batch that had them while they were new has been sent, so an intake has their
 * definitions. Their points go in batches of their own, which do not wait for the definitions of new series. client.test.ts
 * covers it.
 */
export class KnownSeries {
  /** The last batch with new series that had a series, by series number. */
  #lastBatches = new Int32Array(0);
  /** The part of the batch that was divided last that has known series only. */
  #first: RawBatch | undefined;

  /** Divides a batch into points of known series and those of new ones. All batches below the number `unsent` were sent. */
  divide(batch: RawBatch, unsent: number): RawBatch[] {
    const parts = batch.divide((series) => this.#isKnown(series, unsent));
    [this.#first] = parts;
    return parts.filter(({ points }) => points > 0);
  }

  /**
   * Notes the number of a batch that was not sent, and returns whether it has known series only. The known series of a
   * batch with new ones wait with them, and so must their later points: the last point of a series and timestamp is the
   * one that stands.
   */
  add(batch: RawBatch, number: number): boolean {
    if (batch === this.#first) return true;
    batch.forEachSeries((series) => {
      this.#cover(series);
      this.#lastBatches[series] = number;
    });
    return false;
  }

  #isKnown(series: number, unsent: number): boolean {
    return series < this.#lastBatches.length && this.#lastBatches[series] < unsent;
  }

  #cover(series: number): void {
    const { length } = this.#lastBatches;
    if (series < length) return;
    const larger = new Int32Array(Math.max(series + 1, length * 2)).fill(NEVER, length);
    larger.set(this.#lastBatches);
    this.#lastBatches = larger;
  }
}
