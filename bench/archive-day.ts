/**
 * Measures how a closed day of a partition goes from RocksDB to the object store, a folder: reading, sorting, writing, and reading back.
 * Metrics of some hundred series are read once; one with all series is read in many passes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveDay } from '@tidemark/archive';
import { openLocalObjects } from '@tidemark/folder-objects';
import { DAY_MS } from '@tidemark/model';
import { DayPoints, DEFAULT_POINT_STORE_LIMITS, PageCodec, PointPartition } from '@tidemark/point-store';
import { WorkSlice } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import { type Measurement, machine, median } from './measurement.ts';
import { PointLoad, SERIES_PER_METRIC } from './point-store/point-load.ts';
import { type Timed, timed } from './point-store/timed.ts';

const SERIES = 5000;
const STEPS = 8640;
const LATE_SHARE = 0.01;
const RUNS = 3;

/** Claims `archive-day` and `archive-day-wide`: CPU of all threads, ns a point, median of 3 runs. */
export async function archivedDays(): Promise<Measurement[]> {
  const several = await archived(SERIES_PER_METRIC);
  const one = await archived(SERIES);
  const conditions =
    `${SERIES} series, a day of ${STEPS} times 10 s apart, 1% of the points ten minutes late, from RocksDB to a folder, with names, ` +
    `read back; CPU of all threads, median of ${RUNS}`;
  const measured = (name: string, { cpuMs, points }: Awaited<ReturnType<typeof archived>>, what: string) => ({
    ...{ name, value: (cpuMs * 1e6) / points, unit: 'ns/point' },
    conditions: `${what}, ${points} points; ${conditions}; ${machine()}`,
  });
  return [
    measured('archive-day', several, `${SERIES_PER_METRIC} series a metric`),
    measured('archive-day-wide', one, 'one metric'),
  ];
}

async function archived(seriesPerMetric: number): Promise<{ readonly cpuMs: number; readonly points: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const keyValue = await openRocksDb(join(folder, 'points'));
  const load = new PointLoad(SERIES, LATE_SHARE, seriesPerMetric);
  const { offset, day } = await filled(load, keyValue);
  const tags = new Map(load.seriesIds.map((id, i) => [id.toString('hex'), [`host:${i}`]]));
  const metrics = new Map(load.metricIds.map((id, i) => [id.toString('hex'), `metric.${i}`]));
  const names = {
    hasGaps: false,
    metricOf: (id: Uint8Array) => ({ tenant: 'default', metric: metrics.get(Buffer.from(id).toString('hex')) ?? '' }),
    tagsOf: (id: Uint8Array) => tags.get(Buffer.from(id).toString('hex')),
  };
  const codec = new PageCodec();
  const slice = new WorkSlice(undefined, undefined);
  const place = { partition: 0, day, logId: 'bench', fromOffset: 0, toOffset: offset };
  const found: number[] = [];
  let points = 0;
  for (let run = 0; run < RUNS; run++) {
    const objects = openLocalObjects(join(folder, `objects-${run}`));
    const time: Timed = { wallMs: 0, cpuMs: 0 };
    await timed(time, async () => {
      const cut = { fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS, fromOffset: 0, offset };
      const options = { partition: 0, keyValue, limits: DEFAULT_POINT_STORE_LIMITS, codec };
      const read = await DayPoints.open(options, cut, slice);
      const { segments } = await archiveDay({ objects, points: read, names, pages: codec.writer, slice }, place);
      points = segments.reduce((sum, one) => sum + one.points, 0);
      read.close();
    });
    await objects.close();
    found.push(time.cpuMs);
  }
  await keyValue.close();
  await rm(folder, { recursive: true });
  return { cpuMs: median(found), points };
}

/** Reads a log of a day and an hour, whose points of the day are then in closed buckets. */
async function filled(load: PointLoad, keyValue: Awaited<ReturnType<typeof openRocksDb>>) {
  const limits = DEFAULT_POINT_STORE_LIMITS;
  const store = await PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 20_000 });
  store.apply(load.open());
  for (let step = 0; step < STEPS + 360; step++) {
    store.apply(load.block(step));
    if (!store.wantsCommit) continue;
    await store.commit();
    await store.whenClosed();
  }
  await store.commit();
  await store.whenClosed();
  const offset = store.committedOffset;
  await store.stop();
  store.close();
  return { offset, day: load.range(1).fromMs / DAY_MS };
}
