import type { Page } from '@tidemark/page';
import type { SlicedWork } from '@tidemark/ports';
import type { StoredVersions } from '../read/bucket-pages.ts';
import { slotsBySeries } from '../read/bucket-pages.ts';
import { FoundSlot } from '../read/found-slot.ts';
import { NO_VIEWS } from '../read/series-points.ts';
import type { SeriesPoints } from '../series/series-columns.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { hashSeries } from './bucket-hash.ts';
import type { PointHash } from './point-hash.ts';

/** What the versions of a page are like. */
export interface VersionsSummary {
  /** Points of all slots, and the slots. */
  readonly points: number;
  readonly slots: number;
  /** The series which have a point in a version that is not after all of theirs in the versions before. */
  readonly late: ReadonlySet<number>;
}

/** Looks through the versions of pages of one deal, in which each series has one page. */
export class VersionsReader {
  readonly #lastMs: Float64Array;

  /** For a store with so many series. */
  constructor(series: number) {
    this.#lastMs = new Float64Array(series).fill(Number.NEGATIVE_INFINITY);
  }

  /** Call it once for each page. */
  summary({ pages }: StoredVersions): VersionsSummary {
    const all = this.#lastMs;
    const late = new Set<number>();
    let points = 0;
    let slots = 0;
    for (const page of pages) {
      slots += page.slots;
      for (let slot = 0; slot < page.slots; slot++) {
        const { count, firstMs, lastMs } = page.times.at(page.classOf(slot));
        const series = page.series[slot];
        points += count;
        if (firstMs <= all[series]) late.add(series);
        if (lastMs > all[series]) all[series] = lastMs;
      }
    }
    return { points, slots, late };
  }
}

const NO_SLOTS: ReadonlyMap<number, readonly FoundSlot[]> = new Map();
/** Cost of hashing a point of a page, in units of the cost of a fold. */
const POINT_COST = 1 / 16;

/**
 * Adds the points that series have in the versions of a page to `hash`, without those of series that have such in pages of
 * other deals, too: it returns the slots of these. `late`: the series whose points are not in the order of the pages. `points` is
 * overwritten.
 */
export function* hashVersions(
  store: PartitionStore,
  pages: readonly Page[],
  late: ReadonlySet<number>,
  overlapping: ReadonlySet<number>,
  hash: PointHash,
  points: SeriesPoints,
): SlicedWork<ReadonlyMap<number, readonly FoundSlot[]>, number> {
  const left = late.size === 0 ? overlapping : new Set([...overlapping, ...late]);
  for (const page of pages) {
    const others = hash.addPage(page, store.table, left);
    yield pointsOf(page) * POINT_COST;
    for (const slot of others) {
      const slots = [new FoundSlot(page, slot)];
      yield* hashSeries(store, page.series[slot], { slots, views: NO_VIEWS }, hash, points);
    }
  }
  if (left.size === 0) return NO_SLOTS;
  const rest = new Map<number, readonly FoundSlot[]>();
  for (const [series, slots] of slotsBySeries(pages)) {
    if (overlapping.has(series)) rest.set(series, slots);
    else if (late.has(series)) yield* hashSeries(store, series, { slots, views: NO_VIEWS }, hash, points);
  }
  return rest;
}

function pointsOf(page: Page): number {
  let points = 0;
  for (let slot = 0; slot < page.slots; slot++) points += page.countOf(slot);
  return points;
}
