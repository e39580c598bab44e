import type { AggregateReply } from '@tidemark/contract';
import { type FoldedSeries, TIME_FOLD, type TimeFold, TimeFolder } from '@tidemark/fold';
import { SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { lowerBound } from '@tidemark/page';
import type { IntervalsAt } from '@tidemark/point-log';
import type { SlicedWork } from '@tidemark/ports';
import { packedTotals } from '@tidemark/sketch';
import type { HeadView } from '../head/head-view.ts';
import type { AggregatePlan } from '../read/aggregate-plan.ts';
import type { FoundSlot } from '../read/found-slot.ts';
import type { RangePages } from '../read/range-pages.ts';
import { appendPointsInPieces, appendSketchesInPieces } from '../read/series-points.ts';
import { resolveInPieces, sortSketchesInPieces } from '../series/resolve.ts';
import { SeriesPoints, SeriesSketches } from '../series/series-columns.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { contextRange } from './context-range.ts';
import type { FoldFindings } from './fold-findings.ts';

/** Sketches whose totals are read in one piece, and what one costs in units of the cost of a point. */
const TOTALS = 1024;
const TOTALS_COST = 4;

/** What one moment of the store holds of the series of a request. */
export interface Found {
  readonly position: Pick<
    AggregateReply,
    'offset' | 'watermarkMs' | 'coveredWatermarkMs' | 'era' | 'gaps' | 'deletedBeforeMs'
  >;
  readonly plan: AggregatePlan;
  readonly intervals: IntervalsAt;
  readonly pages: RangePages;
  readonly views: readonly HeadView[];
}

type Folding = SlicedWork<FoldedSeries | undefined, number>;

/** Decodes, resolves and folds one series after the other, each in pieces: it may have millions of points. */
export class SeriesFolder {
  readonly #store: PartitionStore;
  readonly #plan: AggregatePlan;
  readonly #found: Found;
  readonly #readings: TimeFolder;
  readonly #amounts: TimeFolder;
  readonly #findings: FoldFindings;
  /** Of the series that is being folded: not shared with other requests, which continue between two pieces. */
  readonly #columns = new SeriesPoints();
  readonly #sketches = new SeriesSketches();
  /** Points that were read for the last series. */
  points = 0;
  /** The last series has more points than were read, and too few timestamps among those. */
  lacksContext = false;

  constructor(store: PartitionStore, found: Found, findings: FoldFindings) {
    const { plan } = found;
    this.#findings = findings;
    this.#store = store;
    this.#plan = plan;
    this.#found = found;
    this.#readings = new TimeFolder({ ...plan, fold: plan.timeFold, isAmount: false });
    this.#amounts = new TimeFolder({ ...plan, fold: plan.timeFold, isAmount: true });
  }

  /** The folded series, which holds until the next call; undefined where it has no points. */
  *fold(series: number): Folding {
    const seriesClass = this.#store.table.seriesClass(series);
    this.points = 0;
    const { timeFold } = this.#plan;
    if (timeFold !== TIME_FOLD.points && (seriesClass === SERIES_CLASS.distribution) !== isOfSketches(timeFold))
      return undefined;
    const slots = this.#found.pages.of(series);
    if (seriesClass !== SERIES_CLASS.distribution) return yield* this.#foldPoints(series, seriesClass, slots);
    return yield* timeFold === TIME_FOLD.sketch ? this.#foldSketches(series, slots) : this.#foldTotals(series, slots);
  }

  *#foldPoints(series: number, seriesClass: SeriesClass, slots: readonly FoundSlot[]): Folding {
    const points = this.#columns;
    points.clear();
    yield* appendPointsInPieces(series, slots, this.#found.views, this.#store.codec, points);
    this.points = points.length;
    if (points.length === 0) return undefined;
    yield* resolveInPieces(seriesClass, points);
    const { timesMs, values, length } = points;
    const [from, to] = this.#within(series, timesMs, length);
    const folder = seriesClass === SERIES_CLASS.count ? this.#amounts : this.#readings;
    if (from === 0) return yield* this.#foldWith(folder, series, timesMs, values, to);
    return yield* this.#foldWith(folder, series, timesMs.subarray(from, to), values.subarray(from, to), to - from);
  }

  *#foldWith(
    folder: TimeFolder,
    series: number,
    timesMs: Float64Array,
    values: Float64Array,
    length: number,
  ): SlicedWork<FoldedSeries, number> {
    const folded = yield* folder.foldPointsInPieces(timesMs, values, length, this.#found.intervals.of(series));
    this.#findInterval(folder, timesMs, values, length);
    return folded;
  }

  /** Reads the sketches of a series, ascending by time; false when it has none. */
  *#readSketches(series: number, slots: readonly FoundSlot[]): SlicedWork<boolean, number> {
    const sketches = this.#sketches;
    sketches.clear();
    yield* appendSketchesInPieces(series, slots, this.#found.views, sketches);
    this.points = sketches.length;
    yield* sortSketchesInPieces(sketches);
    return sketches.length > 0;
  }

  /** Folds the sums of a distribution's sketches, or their counts, which are amounts. */
  *#foldTotals(series: number, slots: readonly FoundSlot[]): Folding {
    if (!(yield* this.#readSketches(series, slots))) return undefined;
    const [points, sketches] = [this.#columns, this.#sketches];
    const [from, to] = this.#within(series, sketches.timesMs, sketches.length);
    const isCount = this.#plan.timeFold === TIME_FOLD.sketchCount;
    points.clear();
    for (let i = from; i < to; i++) {
      const { sum, count } = packedTotals(sketches.payloads[i]);
      points.push(sketches.timesMs[i], isCount ? count : sum);
      if (points.length % TOTALS === 0) yield TOTALS * TOTALS_COST;
    }
    yield* resolveInPieces(SERIES_CLASS.count, points);
    return yield* this.#foldWith(this.#amounts, series, points.timesMs, points.values, points.length);
  }

  *#foldSketches(series: number, slots: readonly FoundSlot[]): Folding {
    if (!(yield* this.#readSketches(series, slots))) return undefined;
    const { timesMs, payloads, length } = this.#sketches;
    const [from, to] = this.#within(series, timesMs, length);
    const folded = yield* this.#amounts.foldSketchesInPieces(
      timesMs.subarray(from, to),
      payloads.slice(from, to),
      this.#found.intervals.of(series),
    );
    this.#findInterval(this.#amounts, timesMs.subarray(from, to), undefined, to - from);
    return folded;
  }

  /** How often counters began again, and dipped. */
  get counters(): Pick<AggregateReply, 'restarts' | 'dips'> {
    return this.#readings.findings;
  }

  /** Takes over what the newest point before the range's end says. */
  #findInterval(folder: TimeFolder, timesMs: Float64Array, values: Float64Array | undefined, length: number): void {
    const newest = lowerBound(timesMs, this.#plan.toMs, 0, length) - 1;
    if (newest < 0) return;
    this.#findings.add({
      timeMs: timesMs[newest],
      intervalMs: folder.intervalAt(newest),
      hasEnded: values === undefined || Number.isNaN(values[newest]),
      isFollowed: newest + 1 < length,
    });
  }

  /** The points of the range with their context; sets `lacksContext`. */
  #within(series: number, timesMs: Float64Array, length: number): readonly [number, number] {
    const { pages } = this.#found;
    const { from, to } = contextRange(this.#plan, pages.neededSinceMs(series), timesMs, length);
    this.lacksContext = (from < 0 && pages.hasOlder(series)) || (to > length && pages.hasNewer(series));
    return [Math.max(0, from), Math.min(length, to)];
  }
}

function isOfSketches(fold: TimeFold): boolean {
  return fold === TIME_FOLD.sketch || fold === TIME_FOLD.sketchSum || fold === TIME_FOLD.sketchCount;
}
