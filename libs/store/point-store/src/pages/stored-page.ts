import { Page } from '@tidemark/page';
import { TidemarkError } from '@tidemark/ports';
import type { DealPlace, TimesReader } from './times-reader.ts';

/** What a stored page of a partition must fit. */
export interface StoredPageLimits {
  /** The table of series: pages have numbers below its length. */
  readonly table: { readonly length: number };
  readonly limits: { readonly bucketMs: number };
  readonly committedOffset: number;
}

/**
 * Reads a stored page of a deal, with its times records. Undefined for a page of a commit that has failed behind the write, as
 * when the disk can't sync: its points are still in the head, and are counted there until the commit was repeated. Throws
 * `data_loss` for a page of other times, of a series that is not in the table, or without one of its times records.
 */
export async function storedPage(
  store: StoredPageLimits,
  place: DealPlace,
  bytes: Uint8Array,
  times: TimesReader,
): Promise<Page | undefined> {
  const page = new Page(bytes, await times.recordsOf(place, bytes));
  const {
    table,
    limits: { bucketMs },
    committedOffset,
  } = store;
  const { bucket } = place;
  const { series, minTimeMs, maxTimeMs, toOffset } = page;
  const unknown = series.find((one) => one >= table.length);
  const found = unknown === undefined ? `times ${minTimeMs} to ${maxTimeMs}` : `series ${unknown} of ${table.length}`;
  const isWithin = minTimeMs >= bucket * bucketMs && maxTimeMs < (bucket + 1) * bucketMs;
  if (unknown === undefined && isWithin) return toOffset > committedOffset ? undefined : page;
  throw new TidemarkError('data_loss', `the stored bucket ${bucket} has a page of ${found}`, { bucket });
}
