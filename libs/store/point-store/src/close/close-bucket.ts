import type { KeyValueWrite, WorkSlice } from '@tidemark/ports';
import { releaseVersions, versionsOfBucket } from '../read/bucket-pages.ts';
import type { FoundSlot } from '../read/found-slot.ts';
import { NO_VIEWS } from '../read/series-points.ts';
import { SeriesPoints } from '../series/series-columns.ts';
import type { BucketClosing } from '../state/bucket-closing.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { hashSeries, overlappingSeries } from './bucket-hash.ts';
import { mergeVersions } from './bucket-merge.ts';
import { DealTimes } from './deal-times.ts';
import { hashVersions, VersionsReader } from './hash-versions.ts';
import { PointHash } from './point-hash.ts';

const NONE: ReadonlySet<number> = new Set();

/**
 * Merges the pages that a bucket had at a cut, and hashes their points, in slices. Returns the hash; undefined where the bucket
 * had none. Times records that no page needs any more are deleted behind the merges. `write` does a write while nothing reads
 * the pages, or throws to end the work.
 */
export async function closeBucket(
  store: PartitionStore,
  bucket: number,
  { sequence, offset }: BucketClosing,
  slice: WorkSlice,
  write: (work: () => Promise<void>) => Promise<void>,
): Promise<string | undefined> {
  const { keyValue, recent, cache, lock } = store;
  const sum = new PointHash(store.codec);
  const points = new SeriesPoints();
  const deals = await lock.read(() => cache.deals(bucket));
  const overlapping = deals.length > 1 ? await overlappingSeries(store, bucket, sequence, slice) : NONE;
  const together = new Map<number, FoundSlot[]>();
  let reader: VersionsReader | undefined;
  let deal: number | undefined;
  let times: DealTimes | undefined;
  const unneeded: KeyValueWrite[] = [];
  for await (const versions of versionsOfBucket(store, bucket, sequence, slice)) {
    const { family, number } = versions;
    if (reader === undefined || times === undefined || family.deal !== deal) {
      reader = new VersionsReader(store.table.length);
      if (times !== undefined) unneeded.push(...times.deletesOfUnneeded());
      times = await DealTimes.open(store, family, sequence, slice);
    }
    deal = family.deal;
    const summary = reader.summary(versions);
    const merged = await slice.finish(mergeVersions(store, versions, summary, sequence, points, times.writer));
    // One page has all points of its series in order. Of several each may have a part of those of one time.
    const [pages, late] = merged?.isInOrder === true ? [merged.pages, NONE] : [versions.pages, summary.late];
    const rest = await slice.finish(hashVersions(store, pages, late, overlapping, sum, points));
    for (const [series, slots] of rest) together.set(series, [...(together.get(series) ?? []), ...slots]);
    times.keep(merged?.pages ?? versions.pages);
    if (merged !== undefined) {
      await write(async () => {
        await keyValue.write(merged.writes);
        recent.replace(family, number, merged.pages, offset);
        cache.replace(family, number, merged.pages, offset);
      });
    }
    // The slots that are hashed last may be of these pages.
    if (rest.size === 0) releaseVersions(versions);
  }
  if (times !== undefined) unneeded.push(...times.deletesOfUnneeded());
  if (unneeded.length > 0) await write(() => keyValue.write(unneeded));
  for (const [series, slots] of together) {
    await slice.finish(hashSeries(store, series, { slots, views: NO_VIEWS }, sum, points));
  }
  return reader === undefined ? undefined : sum.hex;
}
