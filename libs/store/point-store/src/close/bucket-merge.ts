import { SERIES_CLASS } from '@tidemark/model';
import { Page, type PageSource, type TimesWriter } from '@tidemark/page';
import { assert, type KeyValueWrite, type SlicedWork } from '@tidemark/ports';
import { daysOfBucket } from '../days/day-marks.ts';
import { PARTS, pageKey, timesKey } from '../keys.ts';
import { PageParts } from '../pages/page-parts.ts';
import { type StoredVersions, slotsBySeries } from '../read/bucket-pages.ts';
import type { FoundSlot } from '../read/found-slot.ts';
import { appendPointsInPieces, appendSketchesInPieces, NO_VIEWS } from '../read/series-points.ts';
import { compactInPieces, sortSketchesInPieces } from '../series/resolve.ts';
import { type SeriesPoints, SeriesSketches } from '../series/series-columns.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import type { VersionsSummary } from './hash-versions.ts';

/** Versions of a page with fewer points a slot than this are merged. */
const SHORT_POINTS = 30;
/**
 * Points from which on a merged page is written: in one piece, since a page is written in memory that commits write theirs
 * in. The series that reaches it is in the page with all of its points, so that each series is in one page.
 */
const PAGE_POINTS = 262_144;
/** What a sketch, which is copied, counts of these. */
const SKETCH_POINTS = 64;
/** Bytes of RAM of times for merged pages: more are written again for the pages that follow. */
const TIMES_BYTES = 16 * 1024 * 1024;
/** Cost of writing a point, and of a slot that is looked up, in units of the cost of a fold. */
const WRITE_COST = 1 / 8;
const SLOT_COST = 1 / 2;

/** The merged form of the versions of a page: writes that replace them, and the new pages. */
export interface MergedVersions {
  readonly writes: readonly KeyValueWrite[];
  readonly pages: readonly Page[];
  /** Each series has all of its points in one of the pages, in the order of time. */
  readonly isInOrder: boolean;
}

/** The points of one series, [from, to) of a column, or its sketches. */
interface MergedSeries {
  readonly series: number;
  readonly from: number;
  readonly to: number;
  readonly sketches?: SeriesSketches;
}

/**
 * Merges the versions of a page where they are short or overlap in time: into pages of one map epoch and one generation of each day,
 * with the same content. Undefined where they remain as they are. `sequence` is that of the commit whose key merged pages get, and `times` gets
 * their times. `points` is overwritten.
 */
export function* mergeVersions(
  store: PartitionStore,
  versions: StoredVersions,
  { points: count, slots: columns, late }: VersionsSummary,
  sequence: number,
  points: SeriesPoints,
  times: TimesWriter,
): SlicedWork<MergedVersions | undefined, number> {
  const { family, number, keys, pages } = versions;
  if (pages.length < 2 || (late.size === 0 && count >= SHORT_POINTS * columns)) return undefined;
  const slots = slotsBySeries(pages);
  yield columns * SLOT_COST;
  const writes: KeyValueWrite[] = keys.map((key) => ({ key }));
  const merged: Page[] = [];
  // Of a bucket that an era has opened again, a day may have closed before.
  const cuts = store.days.cutsOf(daysOfBucket(family.bucket, store.limits.bucketMs));
  const sources = sourcesOf(pages, cuts);
  let groups = 0;
  for (const own of sources) {
    const [{ mapEpoch }] = own;
    const fromOffset = Math.min(...own.map((page) => page.fromOffset));
    const toOffset = Math.max(...own.map((page) => page.toOffset));
    for (const group of groupsOf(store, slots, new Set(own), points)) {
      if (typeof group === 'number') {
        yield group;
        continue;
      }
      groups++;
      const added = [...pagesOf(store, group, points, { mapEpoch, fromOffset, toOffset }, times)];
      for (const record of times.take()) {
        writes.push({ key: timesKey(family.bucket, family.deal, record.number), value: record.bytes });
      }
      for (const bytes of added) {
        assert(merged.length < PARTS, `${merged.length} pages of one page in one merge`);
        writes.push({ key: pageKey(family, number, sequence * PARTS + merged.length), value: bytes });
        merged.push(new Page(bytes, (one) => times.recordOf(one)));
      }
      if (times.sizeBytes > TIMES_BYTES) times.forget();
      yield points.length * WRITE_COST;
    }
  }
  return { writes, pages: merged, isInOrder: sources.length === 1 && merged.length === groups };
}

/** The pages that may be merged with each other, in the order in which they were written, ascending by map epoch. */
function sourcesOf(pages: readonly Page[], cuts: readonly number[]): readonly (readonly Page[])[] {
  const generationOf = ({ fromOffset }: Page) => cuts.filter((cut) => cut <= fromOffset).length;
  const sorted = [...pages].sort((a, b) => a.mapEpoch - b.mapEpoch || generationOf(a) - generationOf(b));
  const sources: Page[][] = [];
  for (const page of sorted) {
    const [last] = sources.at(-1) ?? [];
    const isSame = last !== undefined && last.mapEpoch === page.mapEpoch && generationOf(last) === generationOf(page);
    if (isSame) sources[sources.length - 1].push(page);
    else sources.push([page]);
  }
  return sources;
}

/** The series of some pages, in groups of one page, after what it cost to collect their points in `points`. */
function* groupsOf(
  store: PartitionStore,
  slots: ReadonlyMap<number, readonly FoundSlot[]>,
  from: ReadonlySet<Page>,
  points: SeriesPoints,
): Generator<number | MergedSeries[]> {
  let group: MergedSeries[] = [];
  let size = 0;
  points.clear();
  for (const [series, all] of slots) {
    const own = all.filter(({ page }) => from.has(page));
    if (own.length === 0) continue;
    const one = yield* collected(store, series, own, points);
    group.push(one);
    size += one.sketches === undefined ? one.to - one.from : one.sketches.length * SKETCH_POINTS;
    if (size < PAGE_POINTS) continue;
    yield group;
    group = [];
    size = 0;
    points.clear();
  }
  if (group.length > 0) yield group;
}

/** Appends the points that a series has in some slots to `points`, as pages have them. */
function* collected(
  { table, codec }: PartitionStore,
  series: number,
  slots: readonly FoundSlot[],
  points: SeriesPoints,
): SlicedWork<MergedSeries, number> {
  const seriesClass = table.seriesClass(series);
  const from = points.length;
  if (seriesClass === SERIES_CLASS.distribution) {
    const sketches = new SeriesSketches();
    yield* appendSketchesInPieces(series, slots, NO_VIEWS, sketches);
    yield* sortSketchesInPieces(sketches);
    return { series, from, to: from, sketches };
  }
  yield* appendPointsInPieces(series, slots, NO_VIEWS, codec, points);
  points.length = yield* compactInPieces(seriesClass, points.timesMs, points.values, from, points.length);
  yield (points.length - from) * WRITE_COST;
  return { series, from, to: points.length };
}

/** Writes a group at once: others write pages in the same memory. */
function* pagesOf(
  { codec }: PartitionStore,
  group: readonly MergedSeries[],
  { timesMs, values }: SeriesPoints,
  source: PageSource,
  times: TimesWriter,
): Generator<Buffer> {
  const parts = new PageParts(codec.writer);
  parts.clear();
  for (const { series, from, to, sketches } of group) {
    if (sketches !== undefined) parts.addSketches(series, sketches);
    else {
      const own = { timesMs: timesMs.subarray(from, to), values: values.subarray(from, to), length: to - from };
      parts.addPoints(series, own, times);
    }
  }
  yield* parts.finish(source);
}
