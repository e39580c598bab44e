import { cp, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS } from '@tidemark/point-store';
import type { Topic } from '@tidemark/ports';
import { StoreWorkers } from './store-workers.ts';

const PARTITIONS = [0, 1];
const BLOCKS = 30;
/** A commit at every few blocks; segments of the log have about as many. */
const WAL = /^\d+\.log$/;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 4000, bucketMs: 8000 };
const SEGMENT_BYTES = 2500;
/** Many times the usual time: it only ends a test that hangs. */
const UNTIL_MS = 60_000;

let parent: string;
/** What a killed process leaves: a log that was trimmed, and the same before the log was trimmed. */
let trimmed: string;
let whole: string;
let work: string;
const ends: (() => Promise<unknown>)[] = [];

/** Platforms' stores and their log, with what they reported. */
interface Running {
  readonly log: EmbeddedLog;
  readonly stores: StoreWorkers;
  readonly reports: string[];
}

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tidemark-files-'));
  trimmed = await makeFolder('trimmed', true);
  whole = await makeFolder('whole', false);
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

afterAll(() => rm(parent, { recursive: true, force: true }));

async function run(folder: string, isTrimming: boolean): Promise<Running> {
  const log = await openEmbeddedLog({
    disk: new LocalDisk(join(folder, 'log')),
    clock: new SystemClock(),
    random: new SystemRandom(),
    partitions: { points: PARTITIONS.length, tags: PARTITIONS.length },
    limits: { segmentBytes: SEGMENT_BYTES },
  });
  ends.push(() => log.close());
  const reports: string[] = [];
  const note =
    (word: string) =>
    (topic: Topic, partition: number, ...rest: unknown[]) => {
      reports.push([`${topic}/${partition}`, word, ...rest].join(' '));
    };
  const stores = new StoreWorkers({
    ...{ folder, kinds: ['points'], owned: PARTITIONS, limits: LIMITS, latenessMs: 1000, threads: 1 },
    ...{ openFiles: undefined, hasSnapshots: false, canRestore: false },
    log: { kind: 'embedded', folder: join(folder, 'log'), partitions: PARTITIONS.length },
    onTrimmable: (topic, partition, offset) => {
      if (isTrimming) void log.trim(topic, partition, offset);
    },
    onRereading: note('reads again from'),
    onHalted: note('halted'),
    onRebuilding: note('rebuilt'),
    onResumed: () => undefined,
    onProblem: () => undefined,
    onFailed: (error) => {
      throw error;
    },
  });
  ends.push(() => stores.stop());
  log.onAppend((...progress) => stores.progress(...progress));
  await stores.ready();
  stores.start();
  return { log, stores, reports };
}

/** Copies the files of running stores that have committed and not stopped. */
async function makeFolder(name: string, isTrimming: boolean): Promise<string> {
  const folder = join(parent, `${name}-running`);
  const running = await run(folder, isTrimming);
  for (const partition of PARTITIONS) {
    const builder = new LogBuilder();
    builder.bare(RECORD.open, 0, 1000, { partition });
    for (let i = 0; i < BLOCKS; i++) {
      const points = [{ series: 0, timeMs: 2000 + i * 1000, value: i }];
      builder.block(0, 2000 + i * 1000, [{ client: 0, sequence: i, points }], { partition });
    }
    const writer = await running.log.writer('points', partition);
    for (const { offset, value } of builder.records) {
      await writer.append(offset, value);
      await until(async () => (await statusOf(running, partition)).offset > offset);
    }
  }
  const [first] = await Promise.all(PARTITIONS.map((partition) => running.log.bounds('points', partition)));
  expect(first.first > 0).toBe(isTrimming);
  const killed = join(parent, name);
  await cp(folder, killed, { recursive: true });
  if (isTrimming) {
    // The newest commits are in the write-ahead log alone.
    expect((await statusOf(running, 0)).committedOffset).toBeGreaterThan(first.first);
    await eachFile(join(killed, 'points', '0'), WAL, async (file) => {
      expect((await readFile(file)).length).toBeGreaterThan(0);
    });
  }
  // Of the process of this test, which runs.
  await eachFile(join(killed, 'log'), /^LOCK/, (file) => rm(file));
  for (const end of ends.splice(0).reverse()) await end();
  return killed;
}

function statusOf({ stores }: Pick<Running, 'stores'>, partition: number) {
  return stores.call('points', 'status', { partition });
}

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + UNTIL_MS;
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${UNTIL_MS} ms: ${check}`);
    await setTimeout(5);
  }
}

/** Starts on a damaged copy. Returns when each partition has read all or is halted. */
async function runDamaged(source: string, damage: (points: string) => Promise<unknown>): Promise<Running> {
  work = await mkdtemp(join(parent, 'work-'));
  await cp(source, work, { recursive: true });
  await damage(join(work, 'points'));
  const running = await run(work, false);
  for (const partition of PARTITIONS) {
    await until(async () => {
      const { halted, offset } = await statusOf(running, partition).catch(() => ({ halted: '', offset: 0 }));
      return halted !== '' || offset === BLOCKS + 1;
    });
  }
  return running;
}

async function filesOf(folder: string, name: RegExp): Promise<string[]> {
  return (await readdir(folder)).filter((file) => name.test(file)).map((file) => join(folder, file));
}

async function flip(file: string, share: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[Math.floor(bytes.length * share)] ^= 1;
  await writeFile(file, bytes);
}

async function eachFile(folder: string, name: RegExp, change: (file: string) => Promise<unknown>): Promise<void> {
  const files = await filesOf(folder, name);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) await change(file);
}

test.each<[string, (file: string) => Promise<unknown>]>([
  ['removed', (file) => rm(file)],
  ['cut', async (file) => truncate(file, Math.floor((await readFile(file)).length * 0.6))],
  ['changed by a bit in its middle', (file) => flip(file, 0.5)],
])('no point is lost by a write-ahead log that is %s, after the log was trimmed', async (_, change) => {
  const running = await runDamaged(trimmed, (points) => eachFile(join(points, '0'), WAL, change));
  for (const partition of PARTITIONS) {
    expect(await statusOf(running, partition)).toMatchObject({ halted: '', points: BLOCKS, gaps: [] });
  }
  expect(running.reports.filter((report) => /halted|rebuilt/.test(report))).toEqual([]);
});

test('damage of a write-ahead log is reported with its file and the offset that is read again', async () => {
  const { reports } = await runDamaged(trimmed, (points) =>
    eachFile(join(points, '0'), WAL, (file) => flip(file, 0.5)),
  );
  expect(reports).toEqual([
    expect.stringMatching(/^points\/0 reads again from \d+ its file \d+\.log can't be read from offset \d+ on: /),
  ]);
});

test('a database that is older than the trimmed log halts its partition, says so, and can be passed', async () => {
  const running = await runDamaged(trimmed, (points) => rm(join(points, '0'), { recursive: true }));
  const status = await statusOf(running, 0);
  const { first } = await running.log.bounds('points', 0);
  expect(status.haltedOffset).toBe(0);
  expect(status.halted).toMatch(
    /^database points\/0 is damaged or incomplete: it ends at offset 0, and the log, which begins at /,
  );
  expect(status.halted).toContain(`begins at ${first}`);
  expect(status.halted).toContain(`Restore ${join(work, 'points', '0')} from a copy that ends at ${first} or later`);
  // What it has is not known to be right: no answer without an error.
  await expect(running.stores.call('points', 'stateHash', { partition: 0 })).rejects.toMatchObject({
    code: 'data_loss',
  });
  expect((await statusOf(running, 1)).halted).toBe('');
  running.stores.skip({ topic: 'points', partition: 0, offset: 0, reason: 'no copy' });
  await until(async () => (await statusOf(running, 0)).offset === BLOCKS + 1);
  const { halted, gaps } = await statusOf(running, 0);
  expect([halted, gaps]).toEqual([
    '',
    [{ topic: 'points', partition: 0, offset: 0, reason: 'no copy', records: first }],
  ]);
});

type WrongFile = readonly [name: string, damage: (points: string) => Promise<unknown>, partitions: number[]];

/** One for each way in which an open fails. */
const WRONG_FILES: readonly WrongFile[] = [
  ['its CURRENT is gone', (points) => rm(join(points, '0', 'CURRENT')), [0]],
  ['a table is gone', async (points) => rm((await filesOf(join(points, '0'), /sst$/))[0]), [0]],
  ['a file has the place of its folder', (points) => fileInsteadOf(join(points, '0')), [0]],
  ['two folders are swapped', swap, [0, 1]],
];

const OTHER_WRONG_FILES: readonly WrongFile[] = [
  ['its CURRENT is empty', (points) => truncate(join(points, '0', 'CURRENT')), [0]],
  ['its manifest is gone', (points) => eachFile(join(points, '0'), /^MANIFEST/, (file) => rm(file)), [0]],
  ['its manifest is empty', (points) => eachFile(join(points, '0'), /^MANIFEST/, (file) => truncate(file)), [0]],
  ['a table is cut', async (points) => truncate((await filesOf(join(points, '0'), /sst$/))[0], 100), [0]],
];

async function fileInsteadOf(folder: string): Promise<void> {
  await rm(folder, { recursive: true });
  await writeFile(folder, 'not a folder');
}

async function swap(points: string): Promise<void> {
  await rename(join(points, '0'), join(points, 'x'));
  await rename(join(points, '1'), join(points, '0'));
  await rename(join(points, 'x'), join(points, '1'));
}

test.each(WRONG_FILES)('a database is built again from a whole log when %s', async (_, damage, partitions) => {
  const running = await runDamaged(whole, damage);
  for (const partition of PARTITIONS) {
    expect(await statusOf(running, partition)).toMatchObject({ halted: '', points: BLOCKS, gaps: [] });
  }
  expect(running.reports.map((report) => report.slice(0, 16))).toEqual(
    partitions.map((partition) => `points/${partition} rebuilt`),
  );
});

test.each([...WRONG_FILES, ...OTHER_WRONG_FILES])(
  'after the log was trimmed, a database stops its partition alone when %s',
  async (_, damage, partitions) => {
    const running = await runDamaged(trimmed, damage);
    for (const partition of PARTITIONS) {
      const { halted } = await statusOf(running, partition);
      if (partitions.includes(partition)) {
        expect(halted).toContain(join(work, 'points', String(partition)));
        expect(halted).toMatch(/Restore|move/);
      } else expect(halted).toBe('');
    }
  },
);

test('files that RocksDB writes again may be missing', async () => {
  const running = await runDamaged(trimmed, (points) =>
    eachFile(join(points, '0'), /^(OPTIONS|IDENTITY|LOG$|LOCK)/, (file) => rm(file)),
  );
  expect(await statusOf(running, 0)).toMatchObject({ halted: '', points: BLOCKS });
  expect(running.reports).toEqual([]);
});
