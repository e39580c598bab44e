/**
 * Measures a point store: it applies blocks of one timestamp for 25,000 series, commits to RocksDB in a temporary
 * folder, and answers aggregates. `bucket-close` closes a bucket.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SPACE_FOLD, TIME_FOLD } from '@tidemark/fold';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import { openRocksDb } from '@tidemark/rocksdb';
import { type Measurement, machine } from './measurement.ts';
import { PointLoad, SERIES_PER_METRIC } from './point-store/point-load.ts';
import { perPoint, type Timed, timed } from './point-store/timed.ts';

const SERIES = 25_000;
const MINUTES = 30;
const steps = MINUTES * 6;

async function query(
  store: PointPartition,
  load: PointLoad,
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
      metricId: load.metricIds[metric],
      ...load.range(steps),
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
  const load = new PointLoad(SERIES);
  store.apply(load.open());

  const applying: Timed = { wallMs: 0, cpuMs: 0 };
  const committing: Timed = { wallMs: 0, cpuMs: 0 };
  let longestCommitMs = 0;
  let commits = 0;
  let logBytes = 0;
  for (let step = 0; step < steps; step++) {
    const record = load.block(step);
    logBytes += record.value.length;
    await timed(applying, () => store.apply(record));
    if (!store.wantsCommit && step + 1 < steps) continue;
    const before = committing.wallMs;
    await timed(committing, () => store.commit());
    longestCommitMs = Math.max(longestCommitMs, committing.wallMs - before);
    commits++;
  }
  const points = steps * SERIES;
  console.log(`${points.toLocaleString('en')} points, ${(logBytes / points).toFixed(2)} bytes a point in the log`);
  console.log(`apply   ${perPoint(applying, points)}: ${(points / applying.wallMs / 1000).toFixed(1)} M points/s`);
  console.log(`commit  ${perPoint(committing, points)}, ${commits} commits, max ${longestCommitMs.toFixed(0)} ms`);

  await query(store, load, '1 series', [load.seriesIds[0]], 0, 'increase');
  await query(
    store,
    load,
    `1 metric, ${SERIES_PER_METRIC} series`,
    [Buffer.concat(load.seriesIds.slice(0, SERIES_PER_METRIC))],
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
