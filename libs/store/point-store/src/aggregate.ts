import { ChunkPoints, ChunkSketches } from '@tidemark/chunk';
import type { AggregateReply, AggregateRequest, GroupPartial } from '@tidemark/contract';
import { type FoldedSeries, HOLD_INTERVALS, packPartial, SpacePartial, TIME_FOLD, TimeFolder } from '@tidemark/fold';
import { KIND } from '@tidemark/model';
import { type AggregatePlan, planOf } from './aggregate-plan.ts';
import { type HeadRows, rowsOf } from './head-rows.ts';
import type { PartitionStore } from './partition-state.ts';
import { RangeChunks, SERIES_COST } from './range-chunks.ts';
import { resolveAll, sortSketches } from './resolve.ts';
import { appendPoints, appendSketches } from './series-points.ts';
import type { WorkSlice } from './work-slice.ts';

/** Several points of one timestamp are one point of context: where they are many, more have to be read. */
const MORE_CONTEXT = 16;

/**
 * Folds the series of each group over time, then over space. The answer covers every record below `offset`: rows in
 * RAM and chunks are seen as of one moment, between two commits.
 */
export async function aggregate(
  store: PartitionStore,
  request: AggregateRequest,
  slice: WorkSlice,
): Promise<AggregateReply> {
  const plan = planOf(store, request);
  for (let context = plan.contextPoints; ; context *= MORE_CONTEXT) {
    const reply = await attempt(store, plan, context, slice);
    if (reply !== undefined) return reply;
  }
}

/** Undefined when a series has fewer timestamps among `context` points than its fold depends on. */
async function attempt(
  store: PartitionStore,
  plan: AggregatePlan,
  context: number,
  slice: WorkSlice,
): Promise<AggregateReply | undefined> {
  const found = await store.lock.read(() => collect(store, plan, context, slice));
  const folder = new SeriesFolder(store, plan, found);
  const groups: GroupPartial[] = [];
  let pointsRead = 0;
  // What was found is a copy, or never changes: records may be applied, and committed, between two slices.
  for (const group of plan.groups) {
    const partial = new SpacePartial(plan.spaceFold, plan.steps);
    for (const series of group) {
      const folded = folder.fold(series);
      if (folder.lacksContext) return undefined;
      if (folded !== undefined) partial.addSeries(folded);
      pointsRead += folder.points;
      if (slice.spend(SERIES_COST + folder.points + plan.steps)) await slice.next();
    }
    groups.push(packed(partial));
    if (slice.spend(SERIES_COST + plan.steps)) await slice.next();
  }
  return { ...found.position, ...folder.findings, groups, pointsRead, seriesRead: plan.selection.size };
}

function packed(partial: SpacePartial): GroupPartial {
  const { sketches, sumScaled, ...columns } = packPartial(partial);
  const { count, sum, sumRest, min, max, last, lastTime } = columns;
  const [a, b, c, d, e, f, g] = [count, sum, sumRest, min, max, last, lastTime].map((bytes) => Buffer.from(bytes));
  const own = sketches.map((bytes) => Buffer.from(bytes));
  return { count: a, sum: b, sumRest: c, sumScaled, min: d, max: e, last: f, lastTime: g, sketches: own };
}

interface Found {
  readonly position: Pick<AggregateReply, 'offset' | 'watermarkMs' | 'coveredWatermarkMs' | 'era' | 'gaps'>;
  readonly chunks: RangeChunks;
  readonly rows: readonly HeadRows[];
}

/** Everything of the selected series that the range depends on, as of one moment; no value is decoded yet. */
async function collect(store: PartitionStore, plan: AggregatePlan, context: number, slice: WorkSlice): Promise<Found> {
  const { tracker, coverage, head, nextOffset, gaps, partition } = store;
  const { watermarkMs } = tracker;
  const covered = coverage.covered(plan.tagsOffset, watermarkMs);
  const position = {
    offset: nextOffset,
    watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : undefined,
    coveredWatermarkMs: Number.isFinite(covered) ? covered : undefined,
    era: tracker.era,
    gaps: gaps.map(({ offset, reason }) => ({ topic: 'points', partition, offset, reason })),
  };
  // Of this moment, as the offset is: records are applied while chunks are read, though nothing is committed.
  const inRam = head.byEpoch();
  const chunks = new RangeChunks(store, plan, context, slice);
  if (plan.selection.size === 0) return { position, chunks, rows: [] };
  await chunks.find();
  let fromMs = plan.fromMs;
  let toMs = plan.toMs;
  for (const series of plan.selection.series) {
    const { sinceMs, untilMs } = chunks.of(series);
    fromMs = Math.min(fromMs, sinceMs);
    toMs = Math.max(toMs, untilMs + 1);
    if (slice.spend(SERIES_COST)) await slice.next();
  }
  const rows = rowsOf(inRam, plan.selection, fromMs, toMs);
  chunks.checkPoints(rows.reduce((sum, { length }) => sum + length, 0));
  return { position, chunks, rows };
}

const points = new ChunkPoints();
const sketches = new ChunkSketches();

/** Decodes, resolves and folds one series after the other. */
class SeriesFolder {
  readonly #store: PartitionStore;
  readonly #plan: AggregatePlan;
  readonly #found: Found;
  readonly #readings: TimeFolder;
  readonly #amounts: TimeFolder;
  #knownThroughMs: number | undefined;
  #intervalMs = 0;
  /** Points that were read for the last series. */
  points = 0;
  /** The last series has more points than were read, and too few timestamps among those. */
  lacksContext = false;

  constructor(store: PartitionStore, plan: AggregatePlan, found: Found) {
    this.#store = store;
    this.#plan = plan;
    this.#found = found;
    this.#readings = new TimeFolder({ ...plan, fold: plan.timeFold, isAmount: false });
    this.#amounts = new TimeFolder({ ...plan, fold: plan.timeFold, isAmount: true });
  }

  /** The folded series, which holds until the next call; undefined where it has no points. */
  fold(series: number): FoldedSeries | undefined {
    const kind = this.#store.table.kind(series);
    this.points = 0;
    if ((kind === KIND.distribution) !== (this.#plan.timeFold === TIME_FOLD.sketch)) return undefined;
    const { chunks } = this.#found.chunks.of(series);
    return kind === KIND.distribution ? this.#foldSketches(series, chunks) : this.#foldPoints(series, kind, chunks);
  }

  #foldPoints(series: number, kind: number, chunks: Parameters<typeof appendPoints>[1]): FoldedSeries | undefined {
    points.clear();
    appendPoints(series, chunks, this.#found.rows, points);
    this.points = points.length;
    if (points.length === 0) return undefined;
    resolveAll(kind as Parameters<typeof resolveAll>[0], points);
    const { timesMs, values, length } = points;
    const [from, to] = this.#within(series, timesMs, length);
    const folder = kind === KIND.count ? this.#amounts : this.#readings;
    const folded = folder.foldPoints(
      timesMs.subarray(from, to),
      values.subarray(from, to),
      to - from,
      this.#store.intervals.of(series),
    );
    this.#findInterval(folder, timesMs.subarray(from, to), values.subarray(from, to));
    return folded;
  }

  #foldSketches(series: number, chunks: Parameters<typeof appendSketches>[1]): FoldedSeries | undefined {
    sketches.clear();
    appendSketches(series, chunks, this.#found.rows, sketches);
    this.points = sketches.length;
    if (sketches.length === 0) return undefined;
    sortSketches(sketches);
    const { timesMs, payloads, length } = sketches;
    const [from, to] = this.#within(series, timesMs, length);
    const folded = this.#amounts.foldSketches(
      timesMs.subarray(from, to),
      payloads.slice(from, to),
      this.#store.intervals.of(series),
    );
    this.#findInterval(this.#amounts, timesMs.subarray(from, to), undefined);
    return folded;
  }

  /** What the answer says of the folded series apart from their values. */
  get findings(): Pick<AggregateReply, 'knownThroughMs' | 'intervalMs' | 'restarts' | 'dips'> {
    const { restarts, dips } = this.#readings.findings;
    return { knownThroughMs: this.#knownThroughMs, intervalMs: this.#intervalMs, restarts, dips };
  }

  /** Takes over the interval of a series' newest point before the range's end, and what that says of a counter. */
  #findInterval(folder: TimeFolder, timesMs: Float64Array, values: Float64Array | undefined): void {
    const { fromMs, toMs, timeFold, latenessMs } = this.#plan;
    const newest = lowerBound(timesMs, timesMs.length, toMs) - 1;
    if (newest < 0) return;
    const intervalMs = folder.intervalAt(newest);
    const silentFromMs = timesMs[newest] + HOLD_INTERVALS * intervalMs;
    if (silentFromMs >= fromMs) this.#intervalMs = Math.max(this.#intervalMs, intervalMs);
    if (timeFold !== TIME_FOLD.increase && timeFold !== TIME_FOLD.rate) return;
    const hasEnded = values === undefined || Number.isNaN(values[newest]);
    // A reading after the range says how much the counter grew up to its end.
    if (hasEnded || newest + 1 < timesMs.length) return;
    const watermarkMs = this.#found.position.watermarkMs ?? Number.NEGATIVE_INFINITY;
    if (silentFromMs + latenessMs < watermarkMs) return;
    this.#knownThroughMs = Math.min(this.#knownThroughMs ?? Number.POSITIVE_INFINITY, timesMs[newest]);
  }

  /** The points of the range with their context; sets `lacksContext`. */
  #within(series: number, timesMs: Float64Array, length: number): readonly [number, number] {
    const { fromMs, toMs, contextPoints } = this.#plan;
    const first = lowerBound(timesMs, length, fromMs);
    const end = lowerBound(timesMs, length, toMs);
    const from = back(timesMs, first, contextPoints);
    const to = forth(timesMs, end, length, contextPoints);
    const { chunks } = this.#found;
    this.lacksContext =
      contextPoints > 0 && ((from < 0 && chunks.hasOlder(series)) || (to > length && chunks.hasNewer(series)));
    return [Math.max(0, from), Math.min(length, to)];
  }
}

/** Index of the first of `length` ascending times that is at or after `timeMs`. */
function lowerBound(timesMs: Float64Array, length: number, timeMs: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle] < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index `timestamps` distinct times before `index`; below 0 when there are fewer. */
function back(timesMs: Float64Array, index: number, timestamps: number): number {
  let at = index;
  for (let i = 0; i < timestamps; i++) {
    if (at <= 0) return -1;
    at--;
    while (at > 0 && timesMs[at - 1] === timesMs[at]) at--;
  }
  return at;
}

/** The index behind the `timestamps` distinct times from `index` on; above `length` when there are fewer. */
function forth(timesMs: Float64Array, index: number, length: number, timestamps: number): number {
  let at = index;
  for (let i = 0; i < timestamps; i++) {
    if (at >= length) return length + 1;
    at++;
    while (at < length && timesMs[at] === timesMs[at - 1]) at++;
  }
  return at;
}
