import { SERIES_CLASS } from '@tidemark/model';
import type { SlicedWork, WorkSlice } from '@tidemark/ports';
import type { HeadView } from '../head/head-view.ts';
import { releaseVersions, slotsBySeries, versionsOfBucket } from '../read/bucket-pages.ts';
import type { FoundSlot } from '../read/found-slot.ts';
import { appendPointsInPieces, appendSketchesInPieces } from '../read/series-points.ts';
import { resolveInPieces } from '../series/resolve.ts';
import { type SeriesPoints, SeriesSketches } from '../series/series-columns.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import type { PointHash } from './point-hash.ts';

/** Cost of a slot that is read, of a point, and of a sketch, whose bytes are hashed, in units of the cost of a fold. */
const SLOT_COST = 1 / 2;
const POINT_COST = 1 / 4;
const SKETCH_COST = 32;
/** Sketches that are hashed in one piece. */
const SKETCHES = 128;

/**
 * The series of a bucket whose points are in several pages that overlap in time: their points have to be resolved
 * together. Within one deal a series is in one page, so that only later deals can overlap. Pages of commits after `sequence` do
 * not count.
 */
export async function overlappingSeries(
  store: PartitionStore,
  bucket: number,
  sequence: number,
  slice: WorkSlice,
): Promise<Set<number>> {
  const { length } = store.table;
  const firstMs = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
  const lastMs = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  const overlapping = new Set<number>();
  for await (const versions of versionsOfBucket(store, bucket, sequence, slice)) {
    const { pages } = versions;
    for (const [series, slots] of slotsBySeries(pages)) {
      const from = slots.reduce((ms, { minTimeMs }) => Math.min(ms, minTimeMs), Number.POSITIVE_INFINITY);
      const to = slots.reduce((ms, { maxTimeMs }) => Math.max(ms, maxTimeMs), Number.NEGATIVE_INFINITY);
      if (from <= lastMs[series] && to >= firstMs[series]) overlapping.add(series);
      firstMs[series] = Math.min(firstMs[series], from);
      lastMs[series] = Math.max(lastMs[series], to);
    }
    const slots = pages.reduce((sum, page) => sum + page.slots, 0);
    releaseVersions(versions);
    if (slice.spend(slots * SLOT_COST)) await slice.next();
  }
  return overlapping;
}

/** Where the points of a series are: in pages, and in the head. */
interface SeriesPlaces {
  readonly slots: readonly FoundSlot[];
  readonly views: readonly HeadView[];
}

/** Adds the resolved points that a series has in these places to `hash`. `points` is overwritten. */
export function* hashSeries(
  { table, codec }: PartitionStore,
  series: number,
  { slots, views }: SeriesPlaces,
  hash: PointHash,
  points: SeriesPoints,
): SlicedWork<void, number> {
  const seriesClass = table.seriesClass(series);
  if (seriesClass === SERIES_CLASS.distribution) {
    const sketches = new SeriesSketches();
    yield* appendSketchesInPieces(series, slots, views, sketches);
    for (let from = 0; from < sketches.length; from += SKETCHES) {
      const to = Math.min(sketches.length, from + SKETCHES);
      hash.addSketches(table.id(series), sketches, from, to);
      yield (to - from) * SKETCH_COST;
    }
    return;
  }
  points.clear();
  yield* appendPointsInPieces(series, slots, views, codec, points);
  yield* resolveInPieces(seriesClass, points);
  hash.addPoints(table.id(series), points);
  yield points.length * POINT_COST;
}
