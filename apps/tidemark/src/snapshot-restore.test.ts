import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { StartedProcess, tidemark, until } from './started-process.fixture.ts';

/** A test runs some programs, one after the other. */
jest.setTimeout(300_000);

let folder: string;
let data: string;
/** What the lost platform has sent to its object store, and its key. */
let objects: string;
let key: string;
let started: StartedProcess | undefined;

/** Snapshots each few seconds, of commits each second. */
const FLAGS = [
  '--no-agent',
  '--store-commit-step-ms',
  '1000',
  '--snapshot-interval-ms',
  '5000',
  '--data-partitions',
  '2',
];
const storeAt = (place: string) => ['--objects-store', 'folder', '--objects-folder', place];

async function start(place: string): Promise<StartedProcess> {
  started = await StartedProcess.start(data, ...FLAGS, ...storeAt(place));
  return started;
}

async function kill(): Promise<void> {
  await started?.signal('SIGKILL');
  started = undefined;
}

function restore(place: string, ...flags: string[]) {
  return tidemark('snapshot', 'restore', '--data', data, ...storeAt(place), ...flags);
}

async function send({ address }: StartedProcess, value: number, ...flags: string[]): Promise<void> {
  const { code, error } = await tidemark(
    'send',
    'shop.orders',
    String(value),
    '--kind',
    'count',
    '--address',
    address,
    ...flags,
  );
  expect([code, error]).toEqual([0, '']);
}

/** The sum of all orders, and what else is said of it. */
async function orders({
  address,
}: StartedProcess): Promise<{ sum: number; gaps: { topic: string; records: number }[] }> {
  const query = ['query', 'sum:shop.orders{*}.as_count().rollup(sum, 3600)', '--from', '-2h', '--format', 'json'];
  const { out } = await tidemark(...query, '--address', address, '--key', key);
  const { series, gaps } = JSON.parse(out) as { series: { values: (number | null)[] }[]; gaps: [] };
  return { sum: series.flatMap(({ values }) => values).reduce<number>((sum, value) => sum + (value ?? 0), 0), gaps };
}

interface Listed {
  readonly of: string;
  readonly offset: number;
  readonly completeThrough?: string;
}

/** Waits until there are snapshots of all that was sent. */
async function untilSaved(place: string): Promise<void> {
  const sentMs = Date.now();
  await until('snapshots of all that was sent', async () => {
    const listed = await tidemark('snapshot', 'list', '--data', data, ...storeAt(place), '--format', 'json');
    const { snapshots } = JSON.parse(listed.out) as { snapshots: Listed[] };
    const isSaved = (of: string): boolean =>
      snapshots.some((one) => one.of === of && Date.parse(one.completeThrough ?? '') > sentMs);
    const hasNames = ['tags/0', 'tags/1'].every((of) => snapshots.some((one) => one.of === of));
    return isSaved('points/0') && isSaved('points/1') && hasNames;
  });
}

async function lose(): Promise<void> {
  await kill();
  await rm(data, { recursive: true });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-restore-'));
  data = join(folder, 'data');
  objects = join(folder, 'objects');
  const platform = await start(objects);
  const { out } = await tidemark('keys', 'create', 'ops', '--scope', 'send', 'read', '--address', platform.address);
  key = out.split('\n')[0];
  for (const value of [1, 2, 4]) await send(platform, value, '--key', key);
  await untilSaved(objects);
  await lose();
});

afterEach(async () => {
  await kill();
  await rm(data, { recursive: true, force: true });
});

afterAll(async () => {
  await kill();
  await rm(folder, { recursive: true, force: true });
});

test('a platform whose disk was lost has its points, names and keys again, and answers name what is lost', async () => {
  const place = join(folder, 'lost');
  await cp(objects, place, { recursive: true });
  const ports = ['--http-port', '0', '--grpc-port', '0'];
  const refused = await tidemark('start', '--data', data, ...FLAGS, ...storeAt(place), ...ports);
  expect(refused.code).toBe(1);
  expect(refused.error).toMatch(
    /has no log, and .* has copies of the platform of the log [0-9a-f]{32}.*snapshot restore/s,
  );
  expect(await readdir(data)).toEqual([]);

  const restored = await restore(place, '--format', 'json');
  expect([restored.code, restored.error]).toEqual([0, '']);
  expect(JSON.parse(restored.out)).toMatchObject({ keys: 1, lostDecisions: 0, passed: [] });
  const again = await restore(place);
  expect(again.code).toBe(1);
  expect(again.error).toMatch(/data is not empty: it has log, points, tags; restore into an empty folder/);

  const platform = await start(place);
  await until('an answer', async () => (await orders(platform)).sum > 0);
  const { sum, gaps } = await orders(platform);
  expect(sum).toBe(7);
  expect(gaps.map(({ topic }) => topic)).toEqual(expect.arrayContaining(['points', 'tags']));
  // Every record of it is lost, of which nothing says how many there were.
  expect(Math.min(...gaps.map(({ records }) => records))).toBeGreaterThan(2 ** 39);
  expect(platform.error).not.toMatch(/lost records|is gone/);
  await send(platform, 8, '--key', key);
  await until('the new point', async () => (await orders(platform)).sum === 15);

  // Lost once more, with a copy of before the first loss: no offset of the second life is used again.
  await untilSaved(place);
  await lose();
  const [log] = await readdir(join(place, 'objects/control'));
  const copies = join(place, 'objects/control', log);
  for (const name of await readdir(copies)) if (Number(name.slice(0, 16)) >= 2 ** 40) await rm(join(copies, name));
  expect((await restore(place)).code).toBe(0);
  expect(await readFile(join(data, 'log/PARTITIONS'), 'utf8')).toMatch(
    /^control 0 [0-9a-f]+ 2\npoints 0 [0-9a-f]+ 2\n/m,
  );
  const third = await start(place);
  await until('an answer of the third life', async () => (await orders(third)).sum === 15);
});

test('no platform starts in a folder whose restore was interrupted, and the restore can be repeated', async () => {
  const place = join(folder, 'interrupted');
  await cp(objects, place, { recursive: true });
  expect((await restore(place)).code).toBe(0);
  // As a crash before the end leaves it.
  await writeFile(join(data, 'RESTORING'), '');
  const refused = await tidemark('start', '--data', data, ...FLAGS, '--http-port', '0', '--grpc-port', '0');
  expect([refused.code, refused.error]).toEqual([
    1,
    expect.stringMatching(/a restore into it has not ended. Run .*restore` again/),
  ]);
  expect(await restore(place)).toMatchObject({ code: 0, error: '' });
  const names = (await readdir(data)).filter((name) => !name.startsWith('RESTORING.lock'));
  expect(names.sort()).toEqual(['log', 'points', 'tags']);
});

test('damaged snapshots are passed over, and none is replaced by nothing without a word', async () => {
  const place = join(folder, 'damaged');
  await cp(objects, place, { recursive: true });
  const files = join(place, 'objects/snapshots/points-0/files');
  for (const name of await readdir(files)) await writeFile(join(files, name), 'damaged');
  const refused = await restore(place);
  expect([refused.code, refused.error]).toEqual([
    1,
    expect.stringMatching(/no snapshot of points\/0 can be used: .*begin that store empty with --accept-loss/s),
  ]);
  const accepted = await restore(place, '--accept-loss');
  expect([accepted.code, accepted.error]).toEqual([0, '']);
  expect(accepted.out).toMatch(/points\/0 +│ none: empty/);
  expect(accepted.out).toMatch(/passed over: points\/0: /);
});

test('a store without any snapshot has lost them, and an older copy of control would validate revoked keys: both are refused', async () => {
  const place = join(folder, 'lacking');
  await cp(objects, place, { recursive: true });
  const [log] = await readdir(join(place, 'objects/control'));
  const copies = join(place, 'objects/control', log);
  const newest = (await readdir(copies)).sort().at(-1) ?? '';
  await cp(join(copies, newest), join(folder, 'whole.copy'));
  await writeFile(join(copies, newest), 'damaged');
  expect(await restore(place)).toMatchObject({
    code: 1,
    error: expect.stringMatching(
      /the newest copy of control, of .*, can't be read: .* use the older one with --accept-loss/s,
    ),
  });
  await cp(join(folder, 'whole.copy'), join(copies, newest));
  await rm(join(place, 'objects/snapshots/tags-1'), { recursive: true });
  expect(await restore(place)).toMatchObject({
    code: 1,
    error: expect.stringMatching(/no snapshot of tags\/1 is in the object store. .*--accept-loss/s),
  });
  expect((await restore(place, '--accept-loss')).code).toBe(0);
});

test('an object store without copies, and one with those of two platforms, are errors that say what to do', async () => {
  const empty = join(folder, 'empty');
  await cp(objects, empty, { recursive: true });
  const copies = join(empty, 'objects/control');
  const [log] = await readdir(copies);
  const other = '0123456789abcdef0123456789abcdef';
  await cp(join(copies, log), join(copies, other), { recursive: true });
  const two = await restore(empty);
  expect([two.code, two.error]).toEqual([
    1,
    expect.stringMatching(/has copies of 2 platforms: .*choose one with --log/),
  ]);
  expect((await restore(empty, '--log', log.slice(0, 6))).code).toBe(0);
  await rm(data, { recursive: true });
  await rm(copies, { recursive: true });
  const none = await restore(empty);
  expect([none.code, none.error]).toEqual([
    1,
    expect.stringMatching(/no copy of control of a platform: check objects.folder/),
  ]);
});
