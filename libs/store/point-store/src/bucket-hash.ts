import { SERIES_CLASS } from '@tidemark/model';
import { slotsBySeries, versionsOfBucket } from './bucket-pages.ts';
import type { FoundSlot } from './found-slot.ts';
import type { HeadView } from './head-view.ts';
import type { PartitionStore } from './partition-state.ts';
import type { PointHash } from './point-hash.ts';
import { resolveAll } from './resolve.ts';
import { SeriesPoints, SeriesSketches } from './series-columns.ts';
import { appendPoints, appendSketches } from './series-points.ts';

/**
 * The series of a bucket whose points are in several pages that overlap in time: their points have to be resolved
 * together. Within one deal a series is in one page, so that only later deals can overlap.
 */
export async function overlappingSeries(store: PartitionStore, bucket: number): Promise<Set<number>> {
  const { length } = store.table;
  const firstMs = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
  const lastMs = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  const overlapping = new Set<number>();
  for await (const { pages } of versionsOfBucket(store, bucket)) {
    for (const [series, slots] of slotsBySeries(pages)) {
      const from = slots.reduce((ms, { minTimeMs }) => Math.min(ms, minTimeMs), Number.POSITIVE_INFINITY);
      const to = slots.reduce((ms, { maxTimeMs }) => Math.max(ms, maxTimeMs), Number.NEGATIVE_INFINITY);
      if (from <= lastMs[series] && to >= firstMs[series]) overlapping.add(series);
      firstMs[series] = Math.min(firstMs[series], from);
      lastMs[series] = Math.max(lastMs[series], to);
    }
  }
  return overlapping;
}

const points = new SeriesPoints();

/** Adds the resolved points that a series has in these slots, and in these views of the head, to `hash`. */
export function hashSeries(
  { table, codec }: PartitionStore,
  series: number,
  slots: readonly FoundSlot[],
  views: readonly HeadView[],
  hash: PointHash,
): void {
  const seriesClass = table.seriesClass(series);
  if (seriesClass === SERIES_CLASS.distribution) {
    const sketches = new SeriesSketches();
    appendSketches(series, slots, views, sketches);
    hash.addSketches(table.id(series), sketches);
    return;
  }
  points.clear();
  appendPoints(series, slots, views, codec, points);
  resolveAll(seriesClass, points);
  hash.addPoints(table.id(series), points);
}
