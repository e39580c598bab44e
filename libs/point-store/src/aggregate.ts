import { afterPrefix } from '@tidemark/bytes';
import { ChunkPoints, ChunkSketches, chunkSummary, decodeChunk, decodeSketchChunk } from '@tidemark/chunk';
import type { AggregateReply, AggregateRequest, GroupPartial } from '@tidemark/contract';
import { packPartial, SPACE_FOLD, SpacePartial, spaceFoldOf, TIME_FOLD, TimeFolder, timeFoldOf } from '@tidemark/fold';
import { ID_BYTES } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { inLogOrder } from './bucket-merge.ts';
import { type HeadRows, rowsOf } from './head-rows.ts';
import { chunkKey, numberKey, PREFIX, readChunkKey } from './keys.ts';
import type { PointPartition } from './point-partition.ts';
import { eachChunkOf } from './recent-chunks.ts';
import { resolveAll, resolveSketches } from './resolve.ts';
import { readStoredChunk, type StoredChunk } from './stored-chunk.ts';

/** Where the first increase of a range is counted from: the newest value within this long before it. */
const INCREASE_LOOKBACK_MS = 10 * 60_000;
/** With more series than this of one metric, its whole run of keys is read instead of one run a series. */
const SCAN_SERIES = 64;

/**
 * Folds the series of each group over time, then over space. The answer covers every record below `offset`: rows in
 * RAM and chunks are seen as of one moment, between two commits.
 */
export async function aggregate(partition: PointPartition, request: AggregateRequest): Promise<AggregateReply> {
  const plan = planOf(partition, request);
  const found = await partition.lock.read(() => collect(partition, plan));
  const folder = new TimeFolder({ ...plan, fold: plan.timeFold });
  let pointsRead = 0;
  const groups = plan.groups.map((group): GroupPartial => {
    const partial = new SpacePartial(plan.spaceFold, plan.steps);
    for (const series of group) {
      const points = foldSeries(partition, plan, folder, series, found);
      if (points === 0) continue;
      pointsRead += points;
      partial.addSeries(folder.finish());
    }
    const { count, sum, min, max, last, lastTime, sketches } = packPartial(partial);
    const [a, b, c, d, e, f] = [count, sum, min, max, last, lastTime].map((bytes) => Buffer.from(bytes));
    return {
      count: a,
      sum: b,
      min: c,
      max: d,
      last: e,
      lastTime: f,
      sketches: sketches.map((bytes) => Buffer.from(bytes)),
    };
  });
  return { ...found.position, groups, pointsRead, seriesRead: plan.selected.size };
}

interface Plan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly steps: number;
  /** What is read begins here: before `fromMs` where the fold looks back. */
  readonly readFromMs: number;
  readonly timeFold: ReturnType<typeof timeFoldOf>;
  readonly spaceFold: ReturnType<typeof spaceFoldOf>;
  readonly metric: number;
  /** Dense series, ascending within a group; unknown ones are left out. */
  readonly groups: readonly Uint32Array[];
  readonly selected: ReadonlySet<number>;
  readonly maxPoints: number;
  readonly tagsOffset: number;
}

function planOf({ limits, table, seriesSets }: PointPartition, request: AggregateRequest): Plan {
  const { fromMs, toMs, stepMs } = request;
  if (!(stepMs > 0)) throw refusal('step_ms', 'above 0', String(stepMs));
  const steps = Math.max(1, Math.ceil((toMs - fromMs) / stepMs));
  if (steps > limits.steps) throw refusal('to_ms', `${limits.steps} steps`, `${steps} steps`);
  if (request.groups.length > limits.groups) {
    throw refusal('groups', `${limits.groups} groups`, `${request.groups.length} groups`);
  }
  const timeFold = timeFoldOf(request.timeFold);
  const spaceFold = spaceFoldOf(request.spaceFold);
  if ((timeFold === TIME_FOLD.sketch) !== (spaceFold === SPACE_FOLD.sketch)) {
    throw refusal('space_fold', 'sketches fold into sketches', 'one of the two folds is of sketches');
  }
  const metric = table.findMetric(request.metricId);
  const selected = new Set<number>();
  const groups = request.groups.map(({ digest, series }) => {
    const ids = seriesSets.resolve(digest, series);
    const dense: number[] = [];
    for (let at = 0; at + ID_BYTES <= ids.length; at += ID_BYTES) {
      const found = table.find(ids.subarray(at, at + ID_BYTES));
      if (found === -1 || table.metric(found) !== metric) continue;
      dense.push(found);
      selected.add(found);
    }
    return Uint32Array.from(dense).sort();
  });
  return {
    fromMs,
    toMs,
    stepMs,
    steps,
    readFromMs: timeFold === TIME_FOLD.increase ? fromMs - INCREASE_LOOKBACK_MS : fromMs,
    timeFold,
    spaceFold,
    metric,
    groups,
    selected,
    maxPoints: request.maxPoints > 0 ? request.maxPoints : Number.POSITIVE_INFINITY,
    tagsOffset: request.tagsOffset,
  };
}

function refusal(field: string, limit: string, found: string): TidemarkError {
  return new TidemarkError('invalid_argument', `${field}: ${found} (limit: ${limit})`, { field, limit });
}

interface Found {
  readonly position: Pick<AggregateReply, 'offset' | 'watermarkMs' | 'coveredWatermarkMs' | 'gaps'>;
  readonly chunks: ReadonlyMap<number, StoredChunk[]>;
  readonly rows: HeadRows;
}

/** Everything of the selected series that may touch the range, as of one moment; nothing is decoded yet. */
async function collect(partition: PointPartition, plan: Plan): Promise<Found> {
  const { tracker, coverage, limits, head, nextOffset, gaps } = partition;
  const { watermarkMs } = tracker;
  const covered = coverage.covered(plan.tagsOffset, watermarkMs);
  const position = {
    offset: nextOffset,
    watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : undefined,
    coveredWatermarkMs: Number.isFinite(covered) ? covered : undefined,
    gaps: gaps.map(({ offset, reason }) => ({ partition: partition.partition, offset, reason })),
  };
  const rows = rowsOf(head, plan.selected, plan.readFromMs, plan.toMs);
  const chunks = new Map<number, StoredChunk[]>();
  const budget = { left: plan.maxPoints - rows.length };
  checkBudget(budget, plan);
  if (plan.selected.size > 0) {
    const first = Math.max(0, Math.floor(plan.readFromMs / limits.bucketMs));
    const last = Math.min(partition.newestBucket, Math.floor((plan.toMs - 1) / limits.bucketMs));
    for (let bucket = first; bucket <= last; bucket++) await collectBucket(partition, plan, bucket, chunks, budget);
  }
  return { position, chunks, rows };
}

async function collectBucket(
  partition: PointPartition,
  plan: Plan,
  bucket: number,
  chunks: Map<number, StoredChunk[]>,
  budget: { left: number },
): Promise<void> {
  const add = (series: number, value: Uint8Array) => {
    const stored = readStoredChunk(value);
    const { count, minTimeMs, maxTimeMs } = chunkSummary(stored.chunk);
    if (maxTimeMs < plan.readFromMs || minTimeMs >= plan.toMs) return;
    budget.left -= count;
    checkBudget(budget, plan);
    const list = chunks.get(series);
    if (list === undefined) chunks.set(series, [stored]);
    else list.push(stored);
  };
  const recent = partition.recent.get(bucket);
  if (recent !== undefined) {
    for (const packed of recent) {
      for (const series of plan.selected) eachChunkOf(packed, series, (stored) => add(series, stored));
    }
    return;
  }
  const { keyValue } = partition;
  if (plan.selected.size > SCAN_SERIES) {
    const from = numberKey(PREFIX.chunk, bucket, plan.metric);
    for await (const { key, value } of keyValue.entries({ from, to: afterPrefix(from) })) {
      const { series } = readChunkKey(key);
      if (plan.selected.has(series)) add(series, value);
    }
    return;
  }
  for (const series of plan.selected) {
    const from = chunkKey(bucket, plan.metric, series, 0);
    const to = chunkKey(bucket, plan.metric, series, 2 ** 48 - 1);
    for await (const { value } of keyValue.entries({ from, to })) add(series, value);
  }
}

function checkBudget(budget: { left: number }, { maxPoints }: Plan): void {
  if (budget.left >= 0) return;
  throw new TidemarkError('resource_exhausted', `the query reads more than ${maxPoints} points of one partition`, {
    field: 'max_points',
    limit: maxPoints,
  });
}

const points = new ChunkPoints();
const sketches = new ChunkSketches();

/** Decodes, resolves and folds one series; returns how many points it had in the range that was read. */
function foldSeries(
  partition: PointPartition,
  plan: Plan,
  folder: TimeFolder,
  series: number,
  { chunks, rows }: Found,
): number {
  const stored = inLogOrder(chunks.get(series) ?? []);
  const isSketch = partition.table.kind(series) === 4;
  if (isSketch !== (plan.timeFold === TIME_FOLD.sketch)) return 0;
  folder.begin();
  if (isSketch) {
    sketches.clear();
    for (const { chunk } of stored) decodeSketchChunk(chunk, sketches);
    rows.addSketches(series, sketches);
    resolveSketches(sketches);
    for (let i = 0; i < sketches.length; i++) folder.addSketch(sketches.timesMs[i], sketches.payloads[i]);
    return sketches.length;
  }
  points.clear();
  for (const { chunk } of stored) decodeChunk(chunk, points);
  rows.addPoints(series, points);
  resolveAll(partition.table.kind(series), points);
  let from = 0;
  while (from < points.length && points.timesMs[from] < plan.fromMs) from++;
  if (plan.timeFold === TIME_FOLD.increase && from > 0) folder.seed(points.values[from - 1]);
  folder.addRun(points.timesMs, points.values, from, points.length);
  return points.length;
}
