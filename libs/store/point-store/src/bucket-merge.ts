import { SERIES_CLASS } from '@tidemark/model';
import { PAGE_TIMES_LIMIT, Page } from '@tidemark/page';
import type { KeyValueWrite } from '@tidemark/ports';
import { type StoredVersions, slotsBySeries } from './bucket-pages.ts';
import type { FoundSlot } from './found-slot.ts';
import type { VersionsSummary } from './hash-versions.ts';
import { PARTS, pageKey } from './keys.ts';
import { PageParts } from './page-parts.ts';
import type { PartitionStore } from './partition-state.ts';
import { compactPoints, sortSketches } from './resolve.ts';
import { SeriesPoints, SeriesSketches } from './series-columns.ts';
import { appendPoints, appendSketches, NO_VIEWS } from './series-points.ts';

/** Versions of a page with fewer points a slot than this are merged. */
const SHORT_POINTS = 30;

const onePage = new SeriesPoints(PAGE_TIMES_LIMIT);

/** The merged form of the versions of a page: writes that replace them, and the new pages. */
export interface MergedVersions {
  readonly writes: readonly KeyValueWrite[];
  readonly pages: Page[];
}

/**
 * Merges the versions of a page where they are short or overlap in time: into one for each map epoch, with the same
 * content. Undefined where they remain as they are.
 */
export function mergeVersions(
  store: PartitionStore,
  versions: StoredVersions,
  { points, slots: columns, late }: VersionsSummary,
): MergedVersions | undefined {
  const { family, number, keys, pages } = versions;
  if (pages.length < 2 || (late.size === 0 && points >= SHORT_POINTS * columns)) return undefined;
  const slots = slotsBySeries(pages);
  const writes: KeyValueWrite[] = keys.map((key) => ({ key }));
  const merged: Page[] = [];
  const parts = new PageParts(store.codec.writer);
  parts.clear();
  for (const mapEpoch of [...new Set(pages.map((page) => page.mapEpoch))].sort((a, b) => a - b)) {
    for (const [series, all] of slots) {
      const own = all.filter(({ page }) => page.mapEpoch === mapEpoch);
      if (own.length > 0) addSlot(store, series, own, parts);
    }
    const own = pages.filter((page) => page.mapEpoch === mapEpoch);
    const fromOffset = Math.min(...own.map((page) => page.fromOffset));
    const toOffset = Math.max(...own.map((page) => page.toOffset));
    for (const bytes of parts.finish({ mapEpoch, fromOffset, toOffset })) {
      writes.push({ key: pageKey(family, number, store.sequence * PARTS + merged.length), value: bytes });
      merged.push(new Page(bytes));
    }
  }
  return { writes, pages: merged };
}

function addSlot(
  { table, codec }: PartitionStore,
  series: number,
  slots: readonly FoundSlot[],
  parts: PageParts,
): void {
  const seriesClass = table.seriesClass(series);
  if (seriesClass === SERIES_CLASS.distribution) {
    const sketches = new SeriesSketches();
    appendSketches(series, slots, NO_VIEWS, sketches);
    sortSketches(sketches);
    parts.addSketches(series, sketches);
    return;
  }
  const count = slots.reduce((sum, slot) => sum + slot.count, 0);
  // Those of a page are written at once, so that the next series may have their place.
  const points = count > PAGE_TIMES_LIMIT ? new SeriesPoints(count) : onePage;
  points.clear();
  appendPoints(series, slots, NO_VIEWS, codec, points);
  points.length = compactPoints(seriesClass, points.timesMs, points.values, 0, points.length);
  parts.addPoints(series, points);
}
