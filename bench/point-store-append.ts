/**
 * Measures a point store: it applies blocks of one timestamp for 25,000 series, commits to RocksDB in a temporary
 * folder, closes buckets, and answers aggregates. The data: 40% counters with random increments, 40% gauges of one or
 * two decimals, 20% constants, 10 s apart.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, PointColumns } from '@tidemark/columns';
import { SPACE_FOLD, TIME_FOLD } from '@tidemark/fold';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import { encodeBareRecord, encodeRecord, RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import { openRocksDb } from '@tidemark/rocksdb';
import { mulberry32 } from './data/mulberry32.ts';
import { type Measurement, machine } from './measurement.ts';

const SERIES = 25_000;
const SERIES_PER_METRIC = 250;
const MINUTES = 30;
const STEP_MS = 10_000;
const START_MS = 1_700_006_400_000;
const SEED = 20_240_817;

const steps = Math.round((MINUTES * 60_000) / STEP_MS);

const next = mulberry32(SEED);
const values = Float64Array.from({ length: SERIES }, () => Math.floor(next() * 1000));
const speeds = Float64Array.from({ length: SERIES }, () => Math.floor(1000 ** next()));

function advance(): void {
  for (let i = 0; i < SERIES; i++) {
    const kind = Math.floor(i / SERIES_PER_METRIC) % 5;
    if (kind < 2) values[i] += Math.floor(next() * (2 * speeds[i] + 1));
    else if (kind < 4)
      values[i] = Math.round((50 + (next() - 0.5) * speeds[i] * 0.1) * 10 ** (kind - 1)) / 10 ** (kind - 1);
  }
}

const session = Buffer.alloc(16, 1);
const metricIds = Array.from({ length: SERIES / SERIES_PER_METRIC }, (_, i) => hash128(Buffer.from(`metric ${i}`)));
const seriesIds = Array.from({ length: SERIES }, (_, i) => hash128(Buffer.from(`series ${i}`)));
const columns = new PointColumns(SERIES);
const out = new ByteWriter(1 << 20);
const base = { partition: 0, session, lane: 0, epoch: 0, tagsOffset: 0, keyframeOffset: -1, era: -1, eraStartMs: 0 };

function block(step: number): Buffer {
  advance();
  columns.clear();
  const timeMs = START_MS + step * STEP_MS;
  for (let i = 0; i < SERIES; i++) columns.push(i, timeMs, values[i]);
  out.reset();
  encodeShare(columns, undefined, out);
  const series = seriesIds.map((seriesId, i) => {
    const metric = Math.floor(i / SERIES_PER_METRIC);
    return { seriesId, metricId: metricIds[metric], seriesClass: SERIES_CLASS.reading };
  });
  return encodeRecord({
    ...base,
    type: RECORD.block,
    sequence: step + 1,
    markMs: timeMs + 1000,
    minTimeMs: timeMs,
    maxTimeMs: timeMs,
    points: SERIES,
    definitions: step === 0 ? [{ dictionary: 0, firstRef: 0, series }] : [],
    spans: [
      {
        clientSession: Buffer.alloc(16, 2),
        sequence: step,
        mapEpoch: 1,
        floor: step,
        frontierMs: undefined,
        tenant: 'default',
        dictionary: 0,
        share: out.take(),
      },
    ],
  });
}

interface Timed {
  wallMs: number;
  cpuMs: number;
}

async function timed(total: Timed, work: () => unknown): Promise<void> {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  total.wallMs += performance.now() - wall;
  total.cpuMs += (user + system) / 1000;
}

async function query(
  store: PointPartition,
  name: string,
  groups: Buffer[],
  metric: number,
  fold: keyof typeof TIME_FOLD,
): Promise<void> {
  const times: number[] = [];
  let read = 0;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const reply = await store.aggregate({
      partition: 0,
      metricId: metricIds[metric],
      fromMs: START_MS,
      toMs: START_MS + steps * STEP_MS,
      stepMs: 60_000,
      timeFold: TIME_FOLD[fold],
      spaceFold: SPACE_FOLD.sum,
      groups: groups.map((series) => ({ digest: Buffer.alloc(0), series })),
      tagsOffset: 0,
      maxPoints: 0,
      latenessMs: 0,
    });
    times.push(performance.now() - start);
    read = reply.pointsRead;
  }
  times.sort((a, b) => a - b);
  console.log(`${name}: ${read.toLocaleString('en')} points in ${times[2].toFixed(1)} ms (median of 5)`);
}

/** Claim `point-store-append`. Prints the times of apply, commit and queries. */
export async function pointStoreAppend(): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const keyValue = await openRocksDb(join(folder, 'points'));
  const store = await PointPartition.open({
    partition: 0,
    keyValue,
    limits: DEFAULT_POINT_STORE_LIMITS,
    latenessMs: () => 20_000,
  });
  const open = encodeBareRecord({ ...base, type: RECORD.open, sequence: 0, markMs: START_MS });
  store.apply({ offset: 0, appendTimeMs: START_MS, value: open });

  const applying: Timed = { wallMs: 0, cpuMs: 0 };
  const committing: Timed = { wallMs: 0, cpuMs: 0 };
  let longestCommitMs = 0;
  let commits = 0;
  let logBytes = 0;
  for (let step = 0; step < steps; step++) {
    const value = block(step);
    logBytes += value.length;
    await timed(applying, () =>
      store.apply({ offset: step + 1, appendTimeMs: START_MS + (step + 1) * STEP_MS, value }),
    );
    if (!store.wantsCommit && step + 1 < steps) continue;
    const before = committing.wallMs;
    await timed(committing, () => store.commit());
    longestCommitMs = Math.max(longestCommitMs, committing.wallMs - before);
    commits++;
  }
  const points = steps * SERIES;
  const perPoint = ({ wallMs, cpuMs }: Timed) =>
    `${((wallMs * 1e6) / points).toFixed(1)} ns a point, CPU ${((cpuMs * 1e6) / points).toFixed(1)} ns (${(cpuMs / 1000).toFixed(2)} s)`;
  console.log(`${points.toLocaleString('en')} points, ${(logBytes / points).toFixed(2)} bytes a point in the log`);
  console.log(`apply   ${perPoint(applying)}: ${(points / applying.wallMs / 1000).toFixed(1)} M points/s`);
  console.log(`commit  ${perPoint(committing)}, ${commits} commits, max ${longestCommitMs.toFixed(0)} ms`);

  await query(store, '1 series', [seriesIds[0]], 0, 'increase');
  await query(
    store,
    `1 metric, ${SERIES_PER_METRIC} series`,
    [Buffer.concat(seriesIds.slice(0, SERIES_PER_METRIC))],
    0,
    'increase',
  );
  await keyValue.close();
  await rm(folder, { recursive: true });
  const seconds = (applying.wallMs + committing.wallMs) / 1000;
  const cpuSeconds = (applying.cpuMs + committing.cpuMs) / 1000;
  const conditions =
    `${SERIES} series in blocks of one timestamp, ${MINUTES} minutes at 10 s, commits to RocksDB with fsync included, ` +
    `one thread, ${cpuSeconds.toFixed(2)} CPU s on all threads for ${points} points; ${machine()}`;
  return [{ name: 'point-store-append', value: points / seconds, unit: 'points/s', conditions }];
}
