import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS } from '@tidemark/point-store';
import { StoreWorkers } from '@tidemark/store-workers';
import { SnapshotSchedule } from './snapshot-schedule.ts';
import { SnapshotThread } from './snapshot-thread.ts';

/** Each test starts threads several times, one after the other. */
jest.setTimeout(300_000);

/** Blocks of the log, and those before the snapshot. */
const BLOCKS = 12;
const BEFORE = 8;
/** So many that pages have blocks of tables of their own, which only queries and copies read. */
const SERIES = 300;
/** A commit at each block. */
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1000, bucketMs: 4000 };
const POINTS_0 = { kind: 'points', partition: 0 } as const;

let folder = '';
const ends: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-lost-database-'));
});
afterEach(async () => {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
});

async function stopAll(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}

interface Platform {
  readonly log: Awaited<ReturnType<typeof openEmbeddedLog>>;
  readonly stores: StoreWorkers;
  readonly schedule: SnapshotSchedule;
  /** What was restored, and what halted. */
  readonly reports: string[];
}

/** One store of points over an embedded log whose segments have a few blocks, with snapshots in a folder of their own. */
async function start(data = 'data'): Promise<Platform> {
  const own = join(folder, data);
  const clock = new SystemClock();
  const random = new SystemRandom();
  const log = await openEmbeddedLog({
    ...{ disk: new LocalDisk(join(own, 'log')), clock, random },
    partitions: { points: 1, tags: 1 },
    limits: { segmentBytes: 300 },
  });
  ends.push(() => log.close());
  const reports: string[] = [];
  const thread = new SnapshotThread(
    {
      place: { store: 'folder', folder: join(folder, 'objects') },
      folder: own,
      user: 'test',
    },
    clock,
  );
  const stores = new StoreWorkers({
    ...{ folder: own, kinds: ['points'], owned: [0], limits: LIMITS, latenessMs: 1000, threads: 1 },
    log: { kind: 'embedded', folder: join(own, 'log'), partitions: 1 },
    openFiles: undefined,
    ...{ hasSnapshots: true, canRestore: true },
    restore: (request) => thread.restore(request),
    onRestored: (topic, partition, { offset }, reason) =>
      reports.push(`${topic}/${partition} restored at ${offset}: ${reason}`),
    onTrimmable: (topic, partition, offset) => void log.trim(topic, partition, offset),
    onHalted: (topic, partition, _offset, reason) => reports.push(`${topic}/${partition} halted: ${reason}`),
    onRereading: () => undefined,
    onRebuilding: (topic, partition) => reports.push(`${topic}/${partition} built again`),
    onResumed: (topic, partition) => reports.push(`${topic}/${partition} continues`),
    onProblem: () => undefined,
    onLoss: (topic, partition, message) => {
      if (message !== undefined) reports.push(`${topic}/${partition} is damaged: ${message}`);
    },
    onFailed: (error) => {
      throw error;
    },
  });
  ends.push(() => stores.stop());
  log.onAppend((...progress) => stores.progress(...progress));
  const disk = new LocalDisk(own);
  const schedule = new SnapshotSchedule(
    {
      ...{ stores, thread, disk, clock, random, places: [POINTS_0] },
      pathOf: (path) => join(own, path),
      health: { report: () => undefined },
      events: { info: () => undefined, error: () => undefined, fatal: () => undefined },
    },
    { intervalMs: 3_600_000, keep: 2, keepMs: 3_600_000 },
  );
  ends.push(() => schedule.stop());
  await stores.ready();
  stores.start();
  return { log, stores, schedule, reports };
}

const statusOf = ({ stores }: Pick<Platform, 'stores'>) => stores.call('points', 'status', { partition: 0 });
const hashOf = ({ stores }: Pick<Platform, 'stores'>) => stores.call('points', 'stateHash', { partition: 0 });

async function readTo(platform: Platform, next: number): Promise<void> {
  while ((await statusOf(platform)).offset < next) await setTimeout(10);
}

/**
 * Appends all blocks and makes snapshots in between, below which the log is trimmed, and a copy of the database after the record
 * `copyAt`. Returns the hash of the state.
 */
async function fill(snapshots = 1, copyAt = -1): Promise<Awaited<ReturnType<typeof hashOf>>> {
  const platform = await start();
  const { log, schedule } = platform;
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, 1000, { partition: 0 });
  for (let i = 0; i < BLOCKS; i++) {
    const points = Array.from({ length: SERIES }, (_, series) => ({
      series,
      timeMs: 2000 + i,
      value: Math.sin(i + series),
    }));
    builder.block(0, 2000 + i * 1000, [{ client: 0, sequence: i, points }], { partition: 0 });
  }
  const writer = await log.writer('points', 0);
  for (const { offset, value } of builder.records) {
    await writer.append(offset, value);
    const isSnapshot = offset >= BEFORE - snapshots && offset < BEFORE;
    if (!isSnapshot && offset !== copyAt) continue;
    await readTo(platform, offset + 1);
    // What is only in memory is in no snapshot, and in no copy.
    while ((await statusOf(platform)).committedOffset <= offset) await setTimeout(10);
    if (isSnapshot) await schedule.make(POINTS_0);
    else await cp(join(folder, DATABASE), join(folder, COPY), { recursive: true });
  }
  await readTo(platform, builder.records.length);
  while ((await log.bounds('points', 0)).first === 0) await setTimeout(10);
  const hash = await hashOf(platform);
  await stopAll();
  return hash;
}

/** What a store says while it is restored, and what nothing replaces it by. */
const RESTORING =
  /^points\/0 halted: the database points\/0 was lost, or is an older copy: .* It is restored from a snapshot; retry later$/;
const CONTINUES = 'points/0 continues';
const DATABASE = 'data/points/0';
const COPY = 'copy';
const MANIFESTS = 'objects/objects/snapshots/points-0/manifests';

async function untilReports({ reports }: Platform, count: number): Promise<void> {
  while (reports.length < count) await setTimeout(10);
}

describe('a store whose log was trimmed below its snapshot', () => {
  test('is restored from it and the log when its database is gone', async () => {
    const expected = await fill();
    await rm(join(folder, DATABASE), { recursive: true });
    const platform = await start();
    expect((await platform.log.bounds('points', 0)).first).toBeGreaterThan(0);
    await readTo(platform, BLOCKS + 1);
    expect(platform.reports).toEqual([
      expect.stringMatching(RESTORING),
      `points/0 restored at ${BEFORE}: it was gone`,
      CONTINUES,
    ]);
    expect(await hashOf(platform)).toEqual(expected);
    expect(await readdir(join(folder, 'data/points'))).toEqual(['0']);
  });

  test('is restored from it when its database is damaged, which is kept', async () => {
    const expected = await fill();
    await flip(join(folder, DATABASE), /^MANIFEST/, 0.5);
    const platform = await start();
    await readTo(platform, BLOCKS + 1);
    expect(platform.reports).toEqual([
      expect.stringMatching(/^points\/0 halted: the database points\/0 is damaged, .* It is restored from a snapshot/),
      expect.stringMatching(/^points\/0 restored at 8: .*; the database of before is in points\/0\.damaged-\d+$/),
      CONTINUES,
    ]);
    expect(await hashOf(platform)).toEqual(expected);
    expect((await readdir(join(folder, 'data/points'))).sort()).toEqual(['0', expect.stringMatching(/^0\.damaged-/)]);
  });

  test('is restored from it when a snapshot finds damage, and none is made of the damaged database', async () => {
    const expected = await fill();
    // Its tables were opened before: only a read of their blocks finds it.
    await flip(join(folder, DATABASE), /\.sst$/, 0.5);
    const platform = await start();
    await readTo(platform, BLOCKS + 1);
    const made = await platform.schedule.make(POINTS_0).catch((error: unknown) => error);
    expect(made).toMatchObject({ code: 'data_loss' });
    expect(await readdir(join(folder, MANIFESTS))).toHaveLength(1);
    while (!platform.reports.some((report) => report.includes('restored at'))) await setTimeout(10);
    await readTo(platform, BLOCKS + 1);
    expect(await hashOf(platform)).toEqual(expected);
  });

  test('is restored from it when its database is an older copy, which is kept', async () => {
    const expected = await fill(1, 3);
    await rm(join(folder, DATABASE), { recursive: true });
    await cp(join(folder, COPY), join(folder, DATABASE), { recursive: true });
    const platform = await start();
    await readTo(platform, BLOCKS + 1);
    expect(platform.reports).toEqual([
      expect.stringMatching(RESTORING),
      expect.stringMatching(
        /^points\/0 restored at 8: it ended at offset \d, and the log begins at \d; the database of/,
      ),
      CONTINUES,
    ]);
    expect(await hashOf(platform)).toEqual(expected);
  });

  test('halts where the newest snapshot is damaged and the log no longer continues the older one', async () => {
    await fill(2);
    const [older, newest] = (await readdir(join(folder, MANIFESTS))).sort();
    await flip(join(folder, MANIFESTS), new RegExp(`^${newest}$`), 0.5);
    await rm(join(folder, DATABASE), { recursive: true });
    const platform = await start();
    await untilReports(platform, 2);
    const { reports } = platform;
    expect(reports[0]).toMatch(RESTORING);
    expect(reports[1]).toMatch(
      new RegExp(
        `^points/0 halted: .*No snapshot replaces it: .*; ${older.slice(0, -5)} ends at offset 7, and the log begins at \\d+$`,
      ),
    );
    // The next start finds the same, and not that an empty database is in its place.
    await stopAll();
    const again = await start();
    await untilReports(again, 2);
    expect(again.reports[1]).toBe(reports[1]);
  });

  test('waits for an object store that does not answer, and advises to pass nothing meanwhile', async () => {
    await fill();
    await rename(join(folder, 'objects'), join(folder, 'objects-away'));
    await writeFile(join(folder, 'objects'), '');
    await rm(join(folder, DATABASE), { recursive: true });
    const platform = await start();
    await untilReports(platform, 2);
    expect(platform.reports[1]).toMatch(
      /^points\/0 halted: .* Its snapshot can't be restored now: .*tried again each minute/,
    );
    await expect(hashOf(platform)).rejects.toMatchObject({ code: 'unavailable' });
    // A stop does not wait for the next attempt.
    await stopAll();
    await rm(join(folder, 'objects'));
    await rename(join(folder, 'objects-away'), join(folder, 'objects'));
    const back = await start();
    await readTo(back, BLOCKS + 1);
    expect(back.reports[1]).toBe(`points/0 restored at ${BEFORE}: it was gone`);
  });

  test('does not restore one snapshot again and again', async () => {
    await fill();
    const platform = await start();
    await readTo(platform, BLOCKS + 1);
    const damageAll = () => flip(join(folder, DATABASE), /\.sst$/, 0.5);
    await damageAll();
    const findDamage = async (isEnough: () => boolean): Promise<void> => {
      while (!isEnough()) {
        await hashOf(platform).catch(() => undefined);
        await setTimeout(10);
      }
    };
    await findDamage(() => platform.reports.some((report) => report.includes('restored at')));
    await readTo(platform, BLOCKS + 1);
    await damageAll();
    await findDamage(() => platform.reports.some((report) => report.includes('points/0 is damaged: ')));
    expect(platform.reports.at(-1)).toContain('was restored before since the process started');
  });
});

/** Flips a bit of the files of a folder with such a name, at a part of their length. */
async function flip(path: string, names: RegExp, part: number): Promise<void> {
  for (const name of (await readdir(path)).filter((file) => names.test(file))) {
    const bytes = await readFile(join(path, name));
    bytes[Math.floor(bytes.length * part)] ^= 1;
    await writeFile(join(path, name), bytes);
  }
}
