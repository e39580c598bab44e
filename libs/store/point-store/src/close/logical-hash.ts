import { ByteWriter } from '@tidemark/bytes';
import { trackerFingerprint } from '@tidemark/point-log';
import { finishAtOnce, WorkSlice } from '@tidemark/ports';
import { HeadView } from '../head/head-view.ts';
import { slotsBySeries, versionsOfBucket } from '../read/bucket-pages.ts';
import type { FoundSlot } from '../read/found-slot.ts';
import { SeriesPoints } from '../series/series-columns.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { hashSeries } from './bucket-hash.ts';
import { PointHash } from './point-hash.ts';

/**
 * The hash of the whole logical state: every series' resolved points that have not expired, in RAM or on disk, its stated
 * intervals, the lanes, clients, gaps and counts. It reads all points and is meant for tests, `state-hash` and the comparison of idle replicas; hashes of
 * closed buckets exist already.
 */
export async function logicalHash(store: PartitionStore): Promise<string> {
  const hash = new PointHash(store.codec);
  const points = new SeriesPoints();
  const slice = new WorkSlice(undefined, undefined);
  const { head } = store;
  const { length: known } = store.table;
  const inHead = new Set(head.columns.map(({ bucket }) => bucket));
  for (const bucket of new Set([...store.buckets, ...inHead])) {
    // When expired points are deleted depends on commits and crashes, and not on the log alone.
    if (bucket <= store.expiredBucket) continue;
    const views = head.columns.filter((one) => one.bucket === bucket).map((one) => new HeadView(one));
    const slots = new Map<number, FoundSlot[]>();
    for await (const { pages } of versionsOfBucket(store, bucket, Number.POSITIVE_INFINITY, slice)) {
      for (const [series, own] of slotsBySeries(pages)) slots.set(series, [...(slots.get(series) ?? []), ...own]);
    }
    for (let series = 0; series < known; series++) {
      finishAtOnce(hashSeries(store, series, { slots: slots.get(series) ?? [], views }, hash, points));
    }
    for (const view of views) view.release();
  }
  for (const part of trackerFingerprint(store.tracker)) hash.addBytes(part);
  for (const [series, stated] of store.intervals.statements(store.table.length)) {
    hash.addBytes(Buffer.concat([store.table.id(series), stated]));
  }
  hash.addBytes(packCounts(store));
  return hash.hex;
}

function packCounts({ partition, nextOffset, counts, gaps }: PartitionStore): Buffer {
  const { points, latePoints, duplicatePoints, undefinedPoints } = counts;
  const out = new ByteWriter();
  for (const number of [partition, nextOffset, points, latePoints, duplicatePoints, undefinedPoints]) out.f64(number);
  for (const { offset, reason } of gaps) {
    out.f64(offset);
    out.text(reason);
  }
  return out.take();
}
