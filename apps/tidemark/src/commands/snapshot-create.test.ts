import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CreatedSnapshots } from '../created-snapshots.ts';
import { StartedProcess, tidemark } from '../started-process.fixture.ts';

/** A platform and some commands start, on a machine that may be busy. */
const TEST_MS = 120_000;

let folder: string;
let objects: readonly string[];
let platform: StartedProcess | undefined;
let address: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-create-'));
  objects = ['--objects-store', 'folder', '--objects-folder', join(folder, 'objects')];
  platform = await StartedProcess.start(join(folder, 'data'), '--data-partitions', '2', ...objects);
  address = ['--address', platform.address];
}, TEST_MS);

afterAll(async () => {
  await platform?.signal('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test(
  'snapshots that a running platform made on request are listed and whole',
  async () => {
    await tidemark('send', 'a', '1', ...address);
    const { code, out, error } = await tidemark('snapshot', 'create', '--format', 'json', ...address);
    expect([code, error]).toEqual([0, '']);
    const { snapshots, failed }: CreatedSnapshots = JSON.parse(out);
    expect(failed).toEqual([]);
    expect(snapshots.map(({ of }) => of)).toEqual(['points/0', 'tags/0', 'points/1', 'tags/1']);
    for (const { uploadedBytes } of snapshots) expect(uploadedBytes).toBeGreaterThan(0);
    const listed = await tidemark('snapshot', 'list', '--format', 'json', ...objects);
    const known: CreatedSnapshots = JSON.parse(listed.out);
    const named = ({ snapshots: of }: CreatedSnapshots) => of.map((one) => `${one.of} ${one.id} ${one.made}`).sort();
    expect(named(known)).toEqual(named({ snapshots, failed }));
    expect(await tidemark('snapshot', 'verify', ...objects)).toMatchObject({ code: 0, error: '' });
  },
  TEST_MS,
);

test(
  'a kind and partitions choose the stores, and an error is named with exit code 1',
  async () => {
    const create = ['snapshot', 'create', '--kind', 'points', '--partition'];
    const settings = join(folder, 'settings.json');
    writeFileSync(settings, JSON.stringify({ grpc: { port: 1 } }));
    const [one, none, away, awayBySettings, large] = await Promise.all([
      tidemark(...create, '1', ...address),
      tidemark(...create, '7', '--format', 'json', ...address),
      tidemark('snapshot', 'create', '--address', '127.0.0.1:1'),
      tidemark('snapshot', 'create', '--settings', settings),
      tidemark(...create, '1000000', ...address),
    ]);
    expect(one).toMatchObject({ code: 0, error: '' });
    expect(one.out).toMatch(/of +│ snapshot +│ offset +│ made +│ sent +│ reused/);
    expect(one.out.match(/(points|tags)\/\d/g)).toEqual(['points/1']);
    const reason = 'this process has no store of that kind and partition';
    expect(none.code).toBe(1);
    expect(JSON.parse(none.out)).toEqual({
      snapshots: [],
      failed: [{ process: address[1], code: 'not_found', reason }],
    });
    expect(away).toMatchObject({ code: 1, out: '', error: expect.stringContaining('no platform answers at') });
    expect(awayBySettings).toMatchObject({ code: 1, error: expect.stringMatching(/^tidemark: 127\.0\.0\.1:1: /) });
    expect(awayBySettings.error).not.toContain('--address');
    expect(large).toMatchObject({ code: 1, error: expect.stringContaining('Give a number up to 999999.') });
  },
  TEST_MS,
);
