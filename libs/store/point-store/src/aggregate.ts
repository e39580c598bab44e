import { afterPrefix } from '@tidemark/bytes';
import { ChunkPoints, ChunkSketches, chunkSummary } from '@tidemark/chunk';
import type { AggregateReply, AggregateRequest, GroupPartial } from '@tidemark/contract';
import { packPartial, SpacePartial, TIME_FOLD, TimeFolder } from '@tidemark/fold';
import { KIND } from '@tidemark/model';
import { type AggregatePlan, checkPoints, planOf } from './aggregate-plan.ts';
import { type HeadRows, rowsOf } from './head-rows.ts';
import { chunkKey, MAX_CHUNK_SEQUENCE, metricKey, seriesOfChunkKey } from './keys.ts';
import type { PartitionStore } from './partition-state.ts';
import { eachChunkOf } from './recent-chunks.ts';
import { resolveAll, sortSketches } from './resolve.ts';
import { appendPoints, appendSketches } from './series-points.ts';
import { readStoredChunk, type StoredChunk } from './stored-chunk.ts';
import type { WorkSlice } from './work-slice.ts';

/** Series of one metric beyond which its whole run of keys is read instead of one run per series. */
const SCAN_SERIES = 64;
/** Series that are looked up in a batch of chunks between two checks of the time. */
const RUN_SERIES = 1024;
/** Cost of a series or chunk in addition to its points, in points. */
const SERIES_COST = 16;

/**
 * Folds the series of each group over time, then over space. The answer covers every record below `offset`: rows in
 * RAM and chunks are those of one moment, between two commits.
 */
export async function aggregate(
  store: PartitionStore,
  request: AggregateRequest,
  slice: WorkSlice,
): Promise<AggregateReply> {
  const plan = planOf(store, request);
  const found = await store.lock.read(() => collect(store, plan, slice));
  const folder = new TimeFolder({ ...plan, fold: plan.timeFold });
  let pointsRead = 0;
  const groups: GroupPartial[] = [];
  // The collected data is a copy, or never changes: records may be applied, and committed, between two slices.
  for (const group of plan.groups) {
    const partial = new SpacePartial(plan.spaceFold, plan.steps);
    for (const series of group) {
      const points = foldSeries(store, plan, folder, series, found);
      if (points > 0) partial.addSeries(folder.finish());
      pointsRead += points;
      if (slice.spend(SERIES_COST + points + plan.steps)) await slice.next();
    }
    groups.push(packed(partial));
    if (slice.spend(SERIES_COST + plan.steps)) await slice.next();
  }
  return { ...found.position, groups, pointsRead, seriesRead: plan.selection.size };
}

function packed(partial: SpacePartial): GroupPartial {
  const { count, sum, min, max, last, lastTime, sketches } = packPartial(partial);
  const [a, b, c, d, e, f] = [count, sum, min, max, last, lastTime].map((bytes) => Buffer.from(bytes));
  const own = sketches.map((bytes) => Buffer.from(bytes));
  return { count: a, sum: b, min: c, max: d, last: e, lastTime: f, sketches: own };
}

interface Found {
  readonly position: Pick<AggregateReply, 'offset' | 'watermarkMs' | 'coveredWatermarkMs' | 'era' | 'gaps'>;
  readonly chunks: ReadonlyMap<number, StoredChunk[]>;
  readonly rows: readonly HeadRows[];
}

/**
 * Collects the rows and chunks of the selected series that may be in the range, as of one moment, without decoding
 * them.
 */
async function collect(store: PartitionStore, plan: AggregatePlan, slice: WorkSlice): Promise<Found> {
  const { tracker, coverage, limits, head, nextOffset, gaps, partition } = store;
  const { watermarkMs } = tracker;
  const covered = coverage.covered(plan.tagsOffset, watermarkMs);
  const position = {
    offset: nextOffset,
    watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : undefined,
    coveredWatermarkMs: Number.isFinite(covered) ? covered : undefined,
    era: tracker.era,
    gaps: gaps.map(({ offset, reason }) => ({ topic: 'points', partition, offset, reason })),
  };
  const chunks = new Map<number, StoredChunk[]>();
  if (plan.selection.size === 0) return { position, chunks, rows: [] };
  const rows = rowsOf(head, plan.selection, plan.readFromMs, plan.toMs);
  const read = { points: rows.reduce((sum, { length }) => sum + length, 0) };
  checkPoints(plan, read.points);
  const first = Math.floor(plan.readFromMs / limits.bucketMs);
  const last = Math.floor((plan.toMs - 1) / limits.bucketMs);
  const buckets = [...store.buckets].filter((bucket) => bucket >= first && bucket <= last);
  for (const bucket of buckets.sort((a, b) => a - b)) {
    await eachChunk(store, plan, slice, bucket, (series, value) => {
      const stored = readStoredChunk(value);
      const { count, minTimeMs, maxTimeMs } = chunkSummary(stored.chunk);
      if (maxTimeMs < plan.readFromMs || minTimeMs >= plan.toMs) return;
      read.points += count;
      checkPoints(plan, read.points);
      const list = chunks.get(series);
      if (list === undefined) chunks.set(series, [stored]);
      else list.push(stored);
    });
  }
  return { position, chunks, rows };
}

async function eachChunk(
  { recent, keyValue }: PartitionStore,
  { selection, metric }: AggregatePlan,
  slice: WorkSlice,
  bucket: number,
  each: (series: number, stored: Uint8Array) => void,
): Promise<void> {
  const batches = recent.get(bucket);
  if (batches !== undefined) {
    for (const batch of [...batches]) {
      for (let at = 0; at < selection.size; at += RUN_SERIES) {
        const run = selection.series.subarray(at, at + RUN_SERIES);
        eachChunkOf(batch, run, each);
        if (slice.spend(SERIES_COST * run.length)) await slice.next();
      }
    }
    return;
  }
  if (selection.size > SCAN_SERIES) {
    const from = metricKey(bucket, metric);
    for await (const { key, value } of keyValue.entries({ from, to: afterPrefix(from) })) {
      const series = seriesOfChunkKey(key);
      if (selection.has(series)) each(series, value);
      if (slice.spend(SERIES_COST)) await slice.next();
    }
    return;
  }
  for (const series of selection.series) {
    const from = chunkKey(bucket, metric, series, 0);
    const to = chunkKey(bucket, metric, series, MAX_CHUNK_SEQUENCE);
    for await (const { value } of keyValue.entries({ from, to })) {
      each(series, value);
      if (slice.spend(SERIES_COST)) await slice.next();
    }
  }
}

const NONE: readonly StoredChunk[] = [];
const points = new ChunkPoints();
const sketches = new ChunkSketches();

/** Decodes, resolves and folds one series; returns the number of points read. */
function foldSeries(
  { table }: PartitionStore,
  plan: AggregatePlan,
  folder: TimeFolder,
  series: number,
  { chunks, rows }: Found,
): number {
  const stored = chunks.get(series) ?? NONE;
  const kind = table.kind(series);
  if ((kind === KIND.distribution) !== (plan.timeFold === TIME_FOLD.sketch)) return 0;
  folder.begin();
  if (kind === KIND.distribution) {
    sketches.clear();
    appendSketches(series, stored, rows, sketches);
    sortSketches(sketches);
    for (let i = 0; i < sketches.length; i++) folder.addSketch(sketches.timesMs[i], sketches.payloads[i]);
    return sketches.length;
  }
  points.clear();
  appendPoints(series, stored, rows, points);
  const { length } = points;
  resolveAll(kind, points);
  if (plan.timeFold === TIME_FOLD.increase) seed(folder, plan);
  folder.addRun(points.timesMs, points.values, 0, points.length);
  return length;
}

/**
 * Seeds the folder with the newest value before the range, if it is not too old: the first increase is counted from it.
 */
function seed(folder: TimeFolder, { fromMs, readFromMs }: AggregatePlan): void {
  let before = Number.NaN;
  for (let i = 0; i < points.length && points.timesMs[i] < fromMs; i++) {
    if (points.timesMs[i] >= readFromMs && !Number.isNaN(points.values[i])) before = points.values[i];
  }
  if (!Number.isNaN(before)) folder.seed(before);
}
