import { afterPrefix } from '@tidemark/bytes';
import { Page } from '@tidemark/page';
import { type SlicedWork, TidemarkError, type WorkSlice } from '@tidemark/ports';
import { FoundSlot } from './found-slot.ts';
import {
  bucketKey,
  dealKey,
  dealOfKey,
  familyKey,
  familyOfKey,
  numberOfKey,
  type PageFamily,
  PREFIX,
  versionsKey,
} from './keys.ts';
import { unpackIndexedPage } from './page-index.ts';
import type { PartitionStore } from './partition-state.ts';
import type { Selection } from './selection.ts';
import { SHARED_PAGES, type SlotDeal } from './slot-deal.ts';

/** With more of a metric's pages than this all of them are read in one run of keys instead of one run per page. */
const SCAN_PAGES = 8;
/** Series that are looked up in one piece, and what one costs in units of the cost of a point. */
const PIECE = 4096;
const LOOKUP_COST = 1 / 8;

/** The pages of a bucket that have some of the selected series, which are of one metric: a page after its older versions. */
export async function* pagesOf(
  store: PartitionStore,
  bucket: number,
  metric: number,
  selection: Selection,
  slice: WorkSlice,
): AsyncGenerator<Page> {
  const deals = store.recent.get(bucket);
  if (deals !== undefined) {
    for (const { deal, pages } of deals) {
      for (const number of await slice.finish(numbersOf(deal, selection))) yield* pages[number] ?? [];
    }
    return;
  }
  for (const deal of await dealsOf(store, bucket))
    yield* storedPagesOf(store, { bucket, deal, family: metric }, selection, slice);
}

/** The numbers of the pages that have some of the selected series. */
function* numbersOf(deal: SlotDeal, { series }: Selection): SlicedWork<ReadonlySet<number>, number> {
  const numbers = new Set<number>();
  for (let i = 0; i < series.length; i++) {
    const slot = deal.findSlot(series[i]);
    if (slot >= 0) numbers.add(slot >> 8);
    if ((i + 1) % PIECE === 0) yield PIECE * LOOKUP_COST;
  }
  return numbers;
}

/** The deals that have pages in a bucket on disk. */
export async function dealsOf({ keyValue }: PartitionStore, bucket: number): Promise<number[]> {
  const deals: number[] = [];
  let from: Uint8Array = bucketKey(PREFIX.pageIndex, bucket);
  const to = afterPrefix(from);
  for (;;) {
    let found: number | undefined;
    for await (const { key } of keyValue.entries({ from, to, limit: 1 })) found = dealOfKey(key);
    if (found === undefined) return deals;
    deals.push(found);
    from = afterPrefix(dealKey(bucket, found));
  }
}

async function* storedPagesOf(
  store: PartitionStore,
  family: PageFamily,
  selection: Selection,
  slice: WorkSlice,
): AsyncGenerator<Page> {
  const { keyValue } = store;
  const own = new Set<number>();
  const shared: number[] = [];
  const from = familyKey(PREFIX.pageIndex, family);
  for await (const { key, value } of keyValue.entries({ from, to: afterPrefix(from) })) {
    const { isShared, series } = unpackIndexedPage(value);
    if (slice.spend(series.length * LOOKUP_COST)) await slice.next();
    if (!series.some((one) => selection.has(one))) continue;
    if (isShared) shared.push(numberOfKey(key));
    else own.add(numberOfKey(key));
  }
  for (const number of shared) yield* versionsOf(store, { ...family, family: SHARED_PAGES }, number);
  if (own.size > SCAN_PAGES) {
    const pages = familyKey(PREFIX.page, family);
    for await (const { key, value } of keyValue.entries({ from: pages, to: afterPrefix(pages) })) {
      if (own.has(numberOfKey(key))) yield pageIn(store, family.bucket, value);
    }
    return;
  }
  for (const number of own) yield* versionsOf(store, family, number);
}

async function* versionsOf(store: PartitionStore, family: PageFamily, number: number): AsyncGenerator<Page> {
  const from = versionsKey(family, number);
  for await (const { value } of store.keyValue.entries({ from, to: afterPrefix(from) })) {
    yield pageIn(store, family.bucket, value);
  }
}

/** All versions of one dealt page of a bucket, as they are stored. */
export interface StoredVersions {
  readonly family: PageFamily;
  readonly number: number;
  readonly keys: readonly Uint8Array[];
  readonly pages: readonly Page[];
}

/**
 * The pages of a bucket on disk, one dealt page after the other. Throws `data_loss` for pages of other times, or of a
 * series that is not in the table.
 */
export async function* versionsOfBucket(store: PartitionStore, bucket: number): AsyncGenerator<StoredVersions> {
  const { keyValue } = store;
  const prefix = bucketKey(PREFIX.page, bucket);
  let current: { family: PageFamily; number: number; keys: Uint8Array[]; pages: Page[] } | undefined;
  for await (const { key, value } of keyValue.entries({ from: prefix, to: afterPrefix(prefix) })) {
    const family = { bucket, deal: dealOfKey(key), family: familyOfKey(key) };
    const number = numberOfKey(key);
    if (current?.family.deal !== family.deal || current.family.family !== family.family || current.number !== number) {
      if (current !== undefined) yield current;
      current = { family, number, keys: [], pages: [] };
    }
    current.keys.push(key);
    current.pages.push(pageIn(store, bucket, value));
  }
  if (current !== undefined) yield current;
}

/** Reads a stored page of a bucket. Throws `data_loss` for one of other times, or of a series that is not in the table. */
function pageIn({ table, limits: { bucketMs } }: PartitionStore, bucket: number, bytes: Uint8Array): Page {
  const page = new Page(bytes);
  const { series, minTimeMs, maxTimeMs } = page;
  const unknown = series.find((one) => one >= table.length);
  const found = unknown === undefined ? `times ${minTimeMs} to ${maxTimeMs}` : `series ${unknown} of ${table.length}`;
  const isWithin = minTimeMs >= bucket * bucketMs && maxTimeMs < (bucket + 1) * bucketMs;
  if (unknown === undefined && isWithin) return page;
  throw new TidemarkError('data_loss', `the stored bucket ${bucket} has a page of ${found}`, { bucket });
}

/** The slots of each series in some pages, in the order in which the series appear. */
export function slotsBySeries(pages: readonly Page[]): Map<number, FoundSlot[]> {
  const slots = new Map<number, FoundSlot[]>();
  for (const page of pages) {
    page.series.forEach((series, slot) => {
      const own = slots.get(series);
      if (own === undefined) slots.set(series, [new FoundSlot(page, slot)]);
      else own.push(new FoundSlot(page, slot));
    });
  }
  return slots;
}
