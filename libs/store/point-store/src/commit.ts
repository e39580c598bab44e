import { DAY_MS } from '@tidemark/model';
import { Page, TimesWriter } from '@tidemark/page';
import type { KeyValueWrite } from '@tidemark/ports';
import { assert } from '@tidemark/ports';
import { closableBucket, isCloseDue } from './close/closable-buckets.ts';
import { expiredBucket, forgetExpired } from './close/retention.ts';
import { type CommittedDays, closableDay, daysOfBucket } from './days/day-marks.ts';
import type { HeadColumns } from './head/head-columns.ts';
import { bucketKey, indexKey, NO_BUCKET, PARTS, type PageFamily, PREFIX, pageKey, timesKey } from './keys.ts';
import { packIndexedPage } from './pages/page-index.ts';
import { SHARED_PAGES, type SlotDeal } from './pages/slot-deal.ts';
import { closingWrite } from './state/bucket-closing.ts';
import { commitWrites } from './state/partition-save.ts';
import type { PartitionStore } from './state/partition-state.ts';

/** The pages of one bucket and map epoch. */
interface FlushedBucket {
  readonly bucket: number;
  readonly deal: SlotDeal;
  readonly pages: readonly { readonly family: number; readonly number: number; readonly page: Page }[];
}

/**
 * Stores the head's points as pages, with the offset and all changes, in one write. At a cut, unless an earlier close is under
 * way, it also marks the buckets that the watermark has passed to be closed, and lets others expire. A repeat after an error
 * writes the same keys again, so it is safe if the failed write was stored.
 */
export async function writeCommit(store: PartitionStore): Promise<void> {
  const { head, buckets, recent, cache, activity, keyValue, lock, nextOffset } = store;
  const { columns } = head;
  let { sequence } = store;
  const writes: KeyValueWrite[] = [];
  const flushed: FlushedBucket[] = [];
  for (const [i, one] of columns.entries()) {
    // Ascending by epoch: those of one epoch have one number.
    if (i === 0 || columns[i - 1].mapEpoch !== one.mapEpoch) sequence++;
    flushed.push(flush(store, one, sequence, writes));
  }
  for (const { bucket, pages } of flushed) for (const { page } of pages) activity.add(bucket, page.series);
  const deals = new Set(flushed.map(({ deal }) => deal));
  const indexed = flushed.flatMap(({ bucket, deal }) => (deals.delete(deal) ? writeIndex(bucket, deal, writes) : []));
  const known = new Set([...buckets, ...flushed.map(({ bucket }) => bucket)]);
  const closing =
    store.closing === undefined && isCloseDue(store)
      ? { through: closableBucket(store), offset: nextOffset, sequence, hashes: [] }
      : undefined;
  const expired = closing === undefined ? store.expiredBucket : expiredBucket(store, known);
  for (const write of commitWrites(store, { sequence, expiredBucket: expired })) writes.push(write);
  const days = store.days.after(committedDays(store, flushed, known, expired));
  for (const write of days.writes) writes.push(write);
  for (const one of store.reopened) writes.push({ key: bucketKey(PREFIX.bucketHash, one) });
  if (closing !== undefined) {
    for (const one of known) if (one <= expired) writes.push({ key: bucketKey(PREFIX.activity, one) });
  }
  await lock.write(async () => {
    const { closedBucket } = store;
    await keyValue.write([...writes, closingWrite({ closedBucket, closing: closing ?? store.closing })]);
    head.clear(sequence);
    const fresh = new Set(flushed.map(({ bucket }) => bucket).filter((bucket) => !buckets.has(bucket)));
    for (const { bucket, deal, pages } of flushed) {
      // Of two epochs of a new bucket only the first starts it, unless the budget has evicted it since.
      recent.add(bucket, deal, pages, fresh.delete(bucket));
      for (const { family, number, page } of pages) cache.add({ bucket, deal: deal.number, family }, number, page);
      buckets.add(bucket);
      deal.saved();
    }
    for (const family of indexed) cache.changeIndex(family);
    activity.saved();
    store.reopened.clear();
    store.sequence = sequence;
    store.days = days.marks;
    store.saved();
    if (closing === undefined) return;
    store.closing = closing;
    store.expiredBucket = expired;
    forgetExpired(store);
  });
}

function committedDays(
  store: PartitionStore,
  flushed: readonly FlushedBucket[],
  known: ReadonlySet<number>,
  expired: number,
): CommittedDays {
  const { limits, tracker, nextOffset } = store;
  const { bucketMs, commitStepMs } = limits;
  const daysOf = (buckets: Iterable<number>) => {
    return new Set([...buckets].flatMap((bucket) => [...daysOfBucket(bucket, bucketMs)]));
  };
  return {
    written: daysOf(flushed.map(({ bucket }) => bucket)),
    existing: daysBehind(store, known),
    closable: closableDay(tracker.watermarkMs, commitStepMs),
    offset: nextOffset,
    firstKept: expired === NO_BUCKET ? Number.NEGATIVE_INFINITY : Math.floor(((expired + 1) * bucketMs) / DAY_MS),
  };
}

/** Days of the buckets that have not expired before this cut: a close that is under way lets more expire only with the next write. */
function* daysBehind({ limits, expiredBucket: last }: PartitionStore, buckets: Iterable<number>): Generator<number> {
  for (const bucket of buckets) if (bucket > last) yield* daysOfBucket(bucket, limits.bucketMs);
}

function flush(store: PartitionStore, columns: HeadColumns, sequence: number, writes: KeyValueWrite[]): FlushedBucket {
  const { flusher, committedOffset, nextOffset } = store;
  const { bucket, deal, mapEpoch } = columns;
  const source = { mapEpoch, fromOffset: committedOffset, toOffset: nextOffset };
  const times = new TimesWriter(
    { deal: deal.number, originMs: columns.fromMs },
    sequence * PARTS,
    (sequence + 1) * PARTS,
  );
  const flushed = [...flusher.flush(columns, source, times)];
  for (const record of times.take()) {
    writes.push({ key: timesKey(bucket, deal.number, record.number), value: record.bytes });
  }
  const pages = flushed.map(({ dealt, part, bytes }) => {
    assert(part < PARTS, `${part} pages of one page in one commit`);
    const { metric: family, number } = dealt;
    writes.push({ key: pageKey({ bucket, deal: deal.number, family }, number, sequence * PARTS + part), value: bytes });
    const page = new Page(bytes, (one) => times.recordOf(one), dealt.written);
    dealt.written = page.series;
    return { family, number, page };
  });
  return { bucket, deal, pages };
}

/** Writes which series the pages of a deal have got since the last commit. Returns the families of the entries. */
function writeIndex(bucket: number, deal: SlotDeal, writes: KeyValueWrite[]): PageFamily[] {
  return Array.from(deal.changes(), ({ page, metric, series }) => {
    const family = { bucket, deal: deal.number, family: metric };
    const value = packIndexedPage({ isShared: page.metric === SHARED_PAGES, series });
    writes.push({ key: indexKey(family, page.number), value });
    return family;
  });
}
