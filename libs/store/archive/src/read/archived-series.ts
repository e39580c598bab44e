import { DAY_MS, SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { lowerBound } from '@tidemark/page';
import {
  appendSlotPoints,
  appendSlotSketches,
  FoundSlot,
  PageCodec,
  resolveInPieces,
  SeriesPoints,
  SeriesSketches,
  sortSketchesInPieces,
} from '@tidemark/point-store';
import { finishAtOnce } from '@tidemark/ports';
import type { ArchivedDay } from '../day-manifest.ts';
import { isOfDay } from '../list-days.ts';
import type { ReadParts } from './day-objects.ts';
import { type ArchivedQuery, type FoundSeries, seriesOfGeneration } from './generation-series.ts';
import { mergedSeries } from './merged-series.ts';

/** The points of a series on a day: of each time one value, or all sketches. */
export interface ArchivedSeries {
  /** UTC day, days since 1970. */
  readonly day: number;
  readonly tenant: string;
  readonly metric: string;
  readonly seriesClass: SeriesClass;
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** Undefined for a series whose name no generation has. */
  readonly tags: readonly string[] | undefined;
  /** Ms since 1970, ascending; of sketches several may be equal. */
  readonly timesMs: Float64Array;
  /** Of a reading or a count; one of them may be the stale marker. */
  readonly values: Float64Array | undefined;
  /** Packed sketches (docs/formats/sketch.md) of a distribution. */
  readonly sketches: readonly Uint8Array[] | undefined;
}

/**
 * Reads the series that match a query, day by day, in the order of segments. Generations and partitions of a day are merged as a store
 * does: of the readings of one time the one of the highest map epoch is valid, then the later one in the log; counts are added exactly.
 * One group of series of each generation of a day is in memory. What can't be read is reported to `parts.onFinding`. Errors: those of the store.
 */
export async function* archivedSeries(
  parts: ReadParts,
  days: readonly ArchivedDay[],
  query: ArchivedQuery,
  codec = new PageCodec(),
): AsyncGenerator<ArchivedSeries> {
  for (const generations of byDay(days)) {
    const [{ day }] = generations;
    if ((day + 1) * DAY_MS <= query.fromMs || day * DAY_MS >= query.toMs) continue;
    for await (const found of mergedSeries(generations.map((one) => seriesOfGeneration(parts, one, query)))) {
      const tags = found.find((one) => one.tags !== undefined)?.tags;
      if (query.tags?.some((tag) => tags?.includes(tag) !== true)) continue;
      const series = seriesOf(found, parts, query, codec);
      if (series.timesMs.length > 0) yield { day, tags, ...series };
    }
  }
}

/** Generations of one day, of all partitions, by partition and generation. */
function byDay(days: readonly ArchivedDay[]): ArchivedDay[][] {
  const grouped = Map.groupBy(days, ({ day }) => day);
  return [...grouped].sort(([a], [b]) => a - b).map(([, generations]) => generations);
}

function seriesOf(
  found: readonly FoundSeries[],
  { onFinding }: ReadParts,
  { fromMs, toMs }: ArchivedQuery,
  codec: PageCodec,
): Omit<ArchivedSeries, 'day' | 'tags'> {
  const [{ tenant, metric, seriesClass, id }] = found;
  const points = new SeriesPoints();
  const sketches = new SeriesSketches();
  for (const { key, page, slot } of inLogOrder(found)) {
    try {
      if (seriesClass === SERIES_CLASS.distribution) appendSlotSketches(new FoundSlot(page, slot), sketches);
      else appendSlotPoints(new FoundSlot(page, slot), codec, points);
    } catch (error) {
      if (!isOfDay(error)) throw error;
      onFinding({ key, error });
    }
  }
  const own = {
    tenant: Buffer.from(tenant).toString(),
    metric: Buffer.from(metric).toString(),
    ...{ seriesClass, id },
  };
  if (seriesClass === SERIES_CLASS.distribution) {
    finishAtOnce(sortSketchesInPieces(sketches));
    const { timesMs, payloads, length } = sketches;
    const [from, to] = [lowerBound(timesMs, fromMs, 0, length), lowerBound(timesMs, toMs, 0, length)];
    return { ...own, timesMs: timesMs.slice(from, to), values: undefined, sketches: payloads.slice(from, to) };
  }
  finishAtOnce(resolveInPieces(seriesClass, points));
  const { timesMs, values, length } = points;
  const [from, to] = [lowerBound(timesMs, fromMs, 0, length), lowerBound(timesMs, toMs, 0, length)];
  return { ...own, timesMs: timesMs.slice(from, to), values: values.slice(from, to), sketches: undefined };
}

type Slot = FoundSeries['slots'][number];

/** Slots by map epoch, those of one epoch by generation: the order in which later values are valid. */
function inLogOrder(found: readonly FoundSeries[]): (Slot & { readonly key: string })[] {
  const slots = found.flatMap(({ key, toOffset, slots: own }) => own.map((one) => ({ ...one, key, toOffset })));
  // Slots of one generation and epoch stay in the order of time.
  return slots.sort((a, b) => a.page.mapEpoch - b.page.mapEpoch || a.toOffset - b.toOffset);
}
