import { afterPrefix, releaseBytes } from '@tidemark/bytes';
import type { Page } from '@tidemark/page';
import type { SlicedWork, WorkSlice } from '@tidemark/ports';
import { bucketKey, dealOfKey, familyOfKey, numberOfKey, type PageFamily, PREFIX, sequenceOfKey } from '../keys.ts';
import { SHARED_PAGES, type SlotDeal } from '../pages/slot-deal.ts';
import { storedPage } from '../pages/stored-page.ts';
import { TimesReader } from '../pages/times-reader.ts';
import type { Selection } from '../series/selection.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { FoundSlot } from './found-slot.ts';

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
  const { cache, activity } = store;
  // Most buckets of a long range have none of a series that is new, or gone.
  const wanted = await slice.finish(selection.bitmap());
  if (activity.of(bucket)?.and(wanted).isEmpty !== false) return;
  for (const deal of await cache.deals(bucket)) {
    const family = { bucket, deal, family: metric };
    const own: number[] = [];
    const shared: number[] = [];
    for (const { number, isShared, series } of await cache.index(family)) {
      if (slice.spend(series.length * LOOKUP_COST)) await slice.next();
      if (!series.some((one) => selection.has(one))) continue;
      if (isShared) shared.push(number);
      else own.push(number);
    }
    yield* cache.versions({ ...family, family: SHARED_PAGES }, shared);
    yield* cache.versions(family, own);
  }
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

/** All versions of one dealt page of a bucket, as they are stored. */
export interface StoredVersions {
  readonly family: PageFamily;
  readonly number: number;
  readonly keys: readonly Uint8Array[];
  readonly pages: readonly Page[];
}

/** Gives the memory of pages back that `versionsOfBucket` has read, of which nothing is kept. */
export function releaseVersions({ pages }: StoredVersions): void {
  for (const { bytes } of pages) releaseBytes(bytes);
}

/** Cost of reading a byte of a page, in units of the cost of a point. */
const BYTE_COST = 1 / 128;

/**
 * The pages of a bucket on disk that commits up to `sequence` have written, one dealt page after the other; nothing else has
 * the bytes of these pages. Throws `data_loss` for pages of other times, or of a series that is not in the table.
 */
export async function* versionsOfBucket(
  store: PartitionStore,
  bucket: number,
  sequence: number,
  slice: WorkSlice,
): AsyncGenerator<StoredVersions> {
  const { keyValue } = store;
  const times = new TimesReader(keyValue);
  const prefix = bucketKey(PREFIX.page, bucket);
  let current: { family: PageFamily; number: number; keys: Uint8Array[]; pages: Page[] } | undefined;
  for await (const { key, value } of keyValue.entries({ from: prefix, to: afterPrefix(prefix) })) {
    if (sequenceOfKey(key) > sequence) continue;
    const family = { bucket, deal: dealOfKey(key), family: familyOfKey(key) };
    const page = await storedPage(store, family, value, times);
    if (page === undefined) continue;
    const number = numberOfKey(key);
    if (current?.family.deal !== family.deal || current.family.family !== family.family || current.number !== number) {
      if (current !== undefined) yield current;
      current = { family, number, keys: [], pages: [] };
    }
    current.keys.push(key);
    current.pages.push(page);
    if (slice.spend(value.length * BYTE_COST)) await slice.next();
  }
  if (current !== undefined) yield current;
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
