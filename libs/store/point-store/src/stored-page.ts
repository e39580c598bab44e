import { Page } from '@tidemark/page';
import { TidemarkError } from '@tidemark/ports';

/** What a stored page of a partition must fit. */
export interface StoredPageLimits {
  /** The table of series: pages have numbers below its length. */
  readonly table: { readonly length: number };
  readonly limits: { readonly bucketMs: number };
  readonly committedOffset: number;
}

/**
 * Reads a stored page of a bucket. Undefined for a page of a commit that has failed behind the write, as when the disk
 * can't sync: its points are still in the head, and are counted there until the commit was repeated. Throws `data_loss`
 * for a page of other times, or of a series that is not in the table.
 */
export function storedPage(
  { table, limits: { bucketMs }, committedOffset }: StoredPageLimits,
  bucket: number,
  bytes: Uint8Array,
): Page | undefined {
  const page = new Page(bytes);
  const { series, minTimeMs, maxTimeMs, toOffset } = page;
  const unknown = series.find((one) => one >= table.length);
  const found = unknown === undefined ? `times ${minTimeMs} to ${maxTimeMs}` : `series ${unknown} of ${table.length}`;
  const isWithin = minTimeMs >= bucket * bucketMs && maxTimeMs < (bucket + 1) * bucketMs;
  if (unknown === undefined && isWithin) return toOffset > committedOffset ? undefined : page;
  throw new TidemarkError('data_loss', `the stored bucket ${bucket} has a page of ${found}`, { bucket });
}
