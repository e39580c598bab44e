import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { openRocksDb } from './rocksdb-key-value.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
/** Above the keys of these tests. */
const ALL = { from: bytes('a'), to: bytes('z') };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-checkpoint-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** All entries of the database in a folder, as text. */
async function contentOf(path: string): Promise<Map<string, string>> {
  const store = await openRocksDb(path);
  const found = new Map<string, string>();
  for await (const { key, value } of store.entries(ALL)) found.set(text(key), text(value));
  await store.close();
  expect(store.walDamage).toBeUndefined();
  return found;
}

const seed = testSeed();

test(`checkpoints under writes and compactions have the batches up to one, and all that had resolved (TIDEMARK_TEST_SEED=${seed})`, async () => {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  // Tables of a few batches, so that compactions run all the time.
  const store = await openRocksDb(join(folder, 'db'), { writeBufferBytes: 65_536 });
  const model = new Map<string, string>();
  /** The whole content after each batch. */
  const contents: Map<string, string>[] = [];
  let resolved = -1;
  let isDone = false;
  const writer = async (): Promise<void> => {
    for (let batch = 0; !isDone; batch++) {
      const writes = [{ key: 'last', value: String(batch) as string | undefined }];
      for (let i = below(20); i >= 0; i--) {
        const value = below(4) === 0 ? undefined : `${batch} ${'x'.repeat(below(4000))}`;
        writes.push({ key: `key ${below(200)}`, value });
      }
      for (const { key, value } of writes) {
        if (value === undefined) model.delete(key);
        else model.set(key, value);
      }
      contents.push(new Map(model));
      await store.write(
        writes.map(({ key, value }) =>
          value === undefined ? { key: bytes(key) } : { key: bytes(key), value: bytes(value) },
        ),
      );
      resolved = batch;
    }
  };
  const written = writer();
  const resolvedBefore: number[] = [];
  for (let i = 0; i < 12; i++) {
    await new Promise((resolve) => setTimeout(resolve, below(60)));
    resolvedBefore.push(resolved);
    await store.checkpoint(join(folder, `checkpoint ${i}`));
  }
  isDone = true;
  await written;
  // Compactions have removed most of their tables from the database by now.
  await store.close();
  for (const [i, atLeast] of resolvedBefore.entries()) {
    const found = await contentOf(join(folder, `checkpoint ${i}`));
    const last = found.has('last') ? Number(found.get('last')) : -1;
    expect(last).toBeGreaterThanOrEqual(atLeast);
    expect(found).toEqual(contents[last] ?? new Map());
  }
});

test('a checkpoint names its files, shares its tables, and outlives the database', async () => {
  const store = await openRocksDb(join(folder, 'db'));
  await store.write([{ key: bytes('key'), value: bytes('value') }]);
  const files = await store.checkpoint(join(folder, 'copy'));
  const names = files.map(({ name }) => name);
  expect(names).toEqual((await readdir(join(folder, 'copy'))).sort());
  expect(files.filter(({ isTable }) => isTable)).toHaveLength(1);
  for (const { name, bytes: length, isTable } of files) {
    const { ino, size } = await stat(join(folder, 'copy', name));
    expect(size).toBe(length);
    const isShared = isTable && (await stat(join(folder, 'db', name))).ino === ino;
    expect(isShared).toBe(isTable);
  }
  await store.close();
  await rm(join(folder, 'db'), { recursive: true });
  expect(await contentOf(join(folder, 'copy'))).toEqual(new Map([['key', 'value']]));
});

test('what a crash left of a checkpoint is replaced, and a checkpoint that exists is not', async () => {
  const store = await openRocksDb(join(folder, 'db'));
  await store.write([{ key: bytes('key'), value: bytes('value') }]);
  await mkdir(join(folder, 'copy.partial'));
  await writeFile(join(folder, 'copy.partial', '000001.sst'), 'half a table');
  await store.checkpoint(join(folder, 'copy'));
  expect(await readdir(folder)).toEqual(['copy', 'db']);
  await expect(store.checkpoint(join(folder, 'copy'))).rejects.toMatchObject({ code: 'failed_precondition' });
  await store.close();
  expect(await contentOf(join(folder, 'copy'))).toEqual(new Map([['key', 'value']]));
});

test('a damaged manifest is not copied', async () => {
  const store = await openRocksDb(join(folder, 'db'));
  await store.write([{ key: bytes('key'), value: bytes('value') }]);
  await store.flush();
  const name = (await readFile(join(folder, 'db', 'CURRENT'), 'latin1')).trimEnd();
  const manifest = await readFile(join(folder, 'db', name));
  manifest[20] ^= 1;
  await writeFile(join(folder, 'db', name), manifest);
  await expect(store.checkpoint(join(folder, 'copy'))).rejects.toMatchObject({
    code: 'data_loss',
    detail: { file: name },
  });
  expect(await readdir(folder)).toEqual(['db']);
  await store.close();
});
