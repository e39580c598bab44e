import { compareBytes } from '@tidemark/bytes';
import type { KeyRange } from '@tidemark/ports';
import type RocksDB from 'rocksdb-native';

/** Entries of the first page, before their size is known. */
const FIRST_PAGE_ENTRIES = 8;
/** Maximum entries of one page. */
const MAX_PAGE_ENTRIES = 1_024;
/** Target size of a page: memory is bounded by a small multiple of this, or of one larger entry. */
const PAGE_BYTES = 1_048_576;

/**
 * Entries of `range` in a snapshot, page by page. Each page is an iterator of its own, read to its end before its first
 * entry is returned: a consumer that stalls holds no iterator. The length of pages follows the size of the entries (a
 * fixed page of 1,024 entries of 64 MiB would be 64 GiB).
 */
export async function* pagedEntries(
  snapshot: RocksDB,
  range: KeyRange,
): AsyncGenerator<{ key: Uint8Array; value: Uint8Array }> {
  const reverse = range.reverse === true;
  let { from, to } = range;
  let left = range.limit ?? Number.POSITIVE_INFINITY;
  let fromIsTaken = false;
  let pageEntries = FIRST_PAGE_ENTRIES;
  while (left > 0 && compareBytes(from, to) < 0) {
    const size = Math.min(pageEntries, left);
    const page: { key: Uint8Array; value: Uint8Array }[] = [];
    let pageBytes = 0;
    // A capacity of one more than the limit lets the binding detect the end without another round trip.
    const options = { reverse, limit: size, capacity: size + 1 };
    for await (const entry of snapshot.iterator(fromIsTaken ? { gt: from, lt: to } : { gte: from, lt: to }, options)) {
      page.push(entry);
      pageBytes += entry.key.length + entry.value.length;
    }
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < size) return;
    left -= page.length;
    if (reverse) to = last.key;
    else {
      from = last.key;
      fromIsTaken = true;
    }
    const fitting = Math.floor(PAGE_BYTES / Math.max(1, pageBytes / page.length));
    pageEntries = Math.max(1, Math.min(MAX_PAGE_ENTRIES, fitting));
  }
}
