import { decodeShare, PointColumns, type ShareSummary, SketchColumns } from '@tidemark/columns';
import { dayOf } from '@tidemark/model';
import type { ClientDictionary } from './client-dictionary.ts';
import type { TagRecordEntry } from './tag-publisher.ts';

const NONE: readonly TagRecordEntry[] = [];
const points = new PointColumns();
const sketches = new SketchColumns();

/** The part of a summary that has the days and refs. */
type Bounds = Pick<ShareSummary, 'minTimeMs' | 'maxTimeMs' | 'maxRef'>;

/**
 * Returns the (series, day) pairs of a share that are not published in `tags` yet. Once all series of a day are
 * published, this is one comparison per share; before, every point is decoded and inspected.
 */
export function unpublishedDaysOfShare(
  dictionary: ClientDictionary,
  share: Uint8Array,
  bounds: Bounds,
): readonly TagRecordEntry[] {
  if (areAllPublished(dictionary, bounds)) return NONE;
  points.clear();
  sketches.clear();
  decodeShare(share, points, sketches);
  return listUnpublished(dictionary, points, sketches, bounds);
}

/** Returns the pairs, as `unpublishedDaysOfShare`, for the columns of a share, whose refs ascend. */
export function unpublishedDays(
  dictionary: ClientDictionary,
  ofPoints: PointColumns,
  ofSketches: SketchColumns,
  bounds: Bounds,
): readonly TagRecordEntry[] {
  if (areAllPublished(dictionary, bounds)) return NONE;
  return listUnpublished(dictionary, ofPoints, ofSketches, bounds);
}

function areAllPublished(dictionary: ClientDictionary, { minTimeMs, maxTimeMs, maxRef }: Bounds): boolean {
  const firstDay = dayOf(minTimeMs);
  return firstDay === dayOf(maxTimeMs) && dictionary.isPublishedThrough(firstDay, maxRef);
}

function listUnpublished(
  dictionary: ClientDictionary,
  ofPoints: PointColumns,
  ofSketches: SketchColumns,
  { minTimeMs, maxTimeMs }: Bounds,
): readonly TagRecordEntry[] {
  const firstDay = dayOf(minTimeMs);
  const isOneDay = firstDay === dayOf(maxTimeMs);
  const entries: TagRecordEntry[] = [];
  /** Days of the current ref. */
  const days = new Set<number>();
  for (const { refs, timesMs, length } of [ofPoints, ofSketches]) {
    let lastRef = -1;
    for (let i = 0; i < length; i++) {
      const ref = refs[i];
      const day = isOneDay ? firstDay : dayOf(timesMs[i]);
      if (ref !== lastRef) days.clear();
      lastRef = ref;
      if (days.has(day) || dictionary.isPublished(day, ref)) continue;
      days.add(day);
      entries.push({ dictionary, ref, day });
    }
  }
  return entries;
}
