/**
 * Measures closing a bucket of two hours: all commits of a partition until its watermark closes the first bucket, and the
 * close itself, in RocksDB in a temporary folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import { openRocksDb } from '@tidemark/rocksdb';
import { type Measurement, machine } from './measurement.ts';
import { PointLoad } from './point-store/point-load.ts';
import { perPoint, type Timed, timed } from './point-store/timed.ts';

const SERIES = 10_000;
const STEPS_PER_HOUR = 360;
const BUCKET_STEPS = 2 * STEPS_PER_HOUR;

/** Claim `bucket-close`: CPU of the commit that closes a bucket, ns for each point of the bucket. */
export async function bucketClose(): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const keyValue = await openRocksDb(join(folder, 'points'));
  const limits = DEFAULT_POINT_STORE_LIMITS;
  const store = await PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 20_000 });
  const load = new PointLoad(SERIES);
  store.apply(load.open());
  const committing: Timed = { wallMs: 0, cpuMs: 0 };
  const closing: Timed = { wallMs: 0, cpuMs: 0 };
  let steps = 0;
  while (store.status.stateHashes.length === 0) {
    store.apply(load.block(steps++));
    if (!store.wantsCommit) continue;
    const one: Timed = { wallMs: 0, cpuMs: 0 };
    await timed(one, () => store.commit());
    const total = store.status.stateHashes.length === 0 ? committing : closing;
    total.wallMs += one.wallMs;
    total.cpuMs += one.cpuMs;
  }
  await keyValue.close();
  await rm(folder, { recursive: true });
  const points = BUCKET_STEPS * SERIES;
  console.log(`commits without a close  ${perPoint(committing, steps * SERIES)}`);
  console.log(`the commit with a close  ${perPoint(closing, points)} of the bucket`);
  const conditions =
    `${SERIES} series, ${points} points of a bucket of two hours, the commit that closes it with all it writes, CPU of all ` +
    `threads; ${machine()}`;
  return [{ name: 'bucket-close', value: (closing.cpuMs * 1e6) / points, unit: 'ns/point', conditions }];
}
