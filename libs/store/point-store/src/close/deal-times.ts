import { type Page, TimesWriter } from '@tidemark/page';
import type { KeyValueWrite, WorkSlice } from '@tidemark/ports';
import { dealKey, numberOfTimesKey, PARTS, PREFIX, timesKey } from '../keys.ts';
import type { DealPlace } from '../pages/times-reader.ts';
import type { PartitionStore } from '../state/partition-state.ts';

/** Cost of reading a byte of a record, in units of the cost of a point. */
const BYTE_COST = 1 / 128;

/** The times records of a deal whose pages are being merged, up to a commit. */
export class DealTimes {
  readonly #place: DealPlace;
  /** Numbers of the records that the close has found. */
  readonly #found: readonly number[];
  readonly #needed = new Set<number>();
  /** Of merged pages. */
  readonly writer: TimesWriter;

  private constructor(place: DealPlace, found: readonly number[], originMs: number, sequence: number) {
    this.#place = place;
    this.#found = found;
    // Behind those of the commit, and of a close that was interrupted.
    const number = Math.max(sequence * PARTS, (found.at(-1) ?? -1) + 1);
    this.writer = new TimesWriter({ deal: place.deal, originMs }, number, (sequence + 1) * PARTS);
  }

  /** Finds the records of commits up to `sequence`. */
  static async open(
    { keyValue, limits }: PartitionStore,
    place: DealPlace,
    sequence: number,
    slice: WorkSlice,
  ): Promise<DealTimes> {
    const { bucket, deal } = place;
    const found: number[] = [];
    const range = {
      from: dealKey(PREFIX.times, bucket, deal),
      to: timesKey(bucket, deal, (sequence + 1) * PARTS),
    };
    for await (const { key, value } of keyValue.entries(range)) {
      found.push(numberOfTimesKey(key));
      if (slice.spend(value.length * BYTE_COST)) await slice.next();
    }
    return new DealTimes(place, found, bucket * limits.bucketMs, sequence);
  }

  /** Pages remain as they are, or were written. */
  keep(pages: readonly Page[]): void {
    for (const { recordNumbers } of pages) for (const number of recordNumbers) this.#needed.add(number);
  }

  /** Deletes of the records that none of the pages needs: all pages of the deal up to the commit are kept. */
  deletesOfUnneeded(): KeyValueWrite[] {
    const { bucket, deal } = this.#place;
    return this.#found
      .filter((number) => !this.#needed.has(number))
      .map((number) => ({ key: timesKey(bucket, deal, number) }));
  }
}
