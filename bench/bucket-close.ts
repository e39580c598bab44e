/**
 * Measures closing a bucket of two hours in RocksDB in a temporary folder: what it costs, and how long commits take while it
 * closes in the background.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { yieldTurn } from '@tidemark/node-runtime';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import { openRocksDb } from '@tidemark/rocksdb';
import { type Measurement, machine } from './measurement.ts';
import { PointLoad } from './point-store/point-load.ts';
import { perPoint, type Timed, timed } from './point-store/timed.ts';

const SERIES = 10_000;
const STEPS_PER_HOUR = 360;
const BUCKET_STEPS = 2 * STEPS_PER_HOUR;
const POINTS = BUCKET_STEPS * SERIES;
const LATE_SHARE = 0.01;

/**
 * Claims `bucket-close` and `bucket-close-late`: CPU of the commit that closes a bucket and of the close after it, ns for each
 * point of the bucket, without late points and with 1%; `bucket-close-longest-commit`: the longest commit while that closes, by the CPU of its thread.
 */
export async function bucketClose(): Promise<Measurement[]> {
  const plain = await closed(0, waitForClose);
  const late = await closed(LATE_SHARE, waitForClose);
  let longestMs = 0;
  let commits = 0;
  await closed(LATE_SHARE, async (store, next) => {
    const { checkpointOffset } = store.position;
    // Read so fast, the log may close another bucket at once.
    while (store.position.checkpointOffset === checkpointOffset) {
      store.apply(next());
      if (store.wantsCommit) {
        const one: Timed = { wallMs: 0, cpuMs: 0 };
        await timed(one, () => store.commit());
        longestMs = Math.max(longestMs, one.threadMs ?? 0);
        commits++;
      }
      // As records come that are not read back.
      await yieldTurn();
    }
  });
  const bucket = `${SERIES} series, ${POINTS} points of a bucket of two hours`;
  const conditions = `${bucket}, the commit that closes it and the close with all it writes, CPU of all threads; ${machine()}`;
  const lateConditions = `1% of the points ten minutes late; ${conditions}`;
  const nsPerPoint = ({ cpuMs }: Timed) => (cpuMs * 1e6) / POINTS;
  return [
    { name: 'bucket-close', value: nsPerPoint(plain.closing), unit: 'ns/point', conditions },
    { name: 'bucket-close-late', value: nsPerPoint(late.closing), unit: 'ns/point', conditions: lateConditions },
    {
      name: 'bucket-close-longest-commit',
      value: Math.max(longestMs, late.cutMs),
      unit: 'CPU ms of the thread',
      conditions:
        `${bucket}, 1% of the points ten minutes late, a record is applied for each slice of the close; the longest of ` +
        `the commit that closes it and ${commits} more, each with the points of up to ten minutes; ${machine()}`,
    },
  ];
}

type Meanwhile = (store: PointPartition, next: () => ReturnType<PointLoad['block']>) => Promise<void>;

const waitForClose: Meanwhile = (store) => store.whenClosed();

/** Reads a log until the first bucket closes, does something meanwhile, and measures it with the commit of the cut. */
async function closed(lateShare: number, meanwhile: Meanwhile) {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const keyValue = await openRocksDb(join(folder, 'points'));
  const slicing = { clock: { monotonicMs: () => performance.now() }, yieldTurn };
  const limits = DEFAULT_POINT_STORE_LIMITS;
  const store = await PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 20_000, slicing });
  const load = new PointLoad(SERIES, lateShare);
  store.apply(load.open());
  const committing: Timed = { wallMs: 0, cpuMs: 0 };
  const closing: Timed = { wallMs: 0, cpuMs: 0 };
  let steps = 0;
  let cutMs = 0;
  while (steps <= BUCKET_STEPS || !store.isClosing) {
    store.apply(load.block(steps++));
    if (!store.wantsCommit) continue;
    const one: Timed = { wallMs: 0, cpuMs: 0 };
    await timed(one, () => store.commit());
    const isCut = steps > BUCKET_STEPS && store.isClosing;
    if (isCut) cutMs = one.threadMs ?? 0;
    else await store.whenClosed();
    const total = isCut ? closing : committing;
    total.wallMs += one.wallMs;
    total.cpuMs += one.cpuMs;
  }
  await timed(closing, () => meanwhile(store, () => load.block(steps++)));
  await store.stop();
  await keyValue.close();
  await rm(folder, { recursive: true });
  console.log(`${lateShare * 100}% late, commits without a close  ${perPoint(committing, steps * SERIES)}`);
  console.log(`the commit with a close, and the close  ${perPoint(closing, POINTS)} of the bucket`);
  return { closing, cutMs };
}
