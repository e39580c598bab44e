import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

test('a second process on a data folder is refused, and the first continues', async () => {
  const folder = await harness.folder();
  const first = await harness.platform({ folder });
  const client = await harness.client(first.grpcAddress);
  const fromMs = Date.now() - 1000;
  await expect(harness.platform({ folder })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/process/),
  });
  client.count('app.requests', 3);
  client.flush();
  await client.settled();
  const { series } = await first.queryComplete('sum:app.requests{*}.rollup(sum, 60)', fromMs, Date.now());
  expect(series[0].values).toEqual([3]);

  // A killed process has no lock.
  await first.kill9();
  const next = await harness.platform({ folder });
  expect(await next.metrics()).toEqual(['app.requests']);
});

test.each(['this container', 'another container', 'one that recovered it'])(
  'a process that finds its folder in use by %s changes nothing in it',
  async (where) => {
    const folder = await harness.folder();
    let first = await harness.platform({ folder });
    const client = await harness.client(first.grpcAddress);
    client.count('app.requests', 3);
    client.flush();
    await client.settled();
    if (where === 'one that recovered it') {
      await first.kill9();
      first = await harness.platform({ folder });
    }
    const lock = join(folder, 'log', 'LOCK.1');
    // Paused, so that it changes nothing itself. From another container its number is not visible.
    first.freeze();
    try {
      if (where === 'another container') await writeFile(lock, JSON.stringify({ pid: 2 ** 22 + 1, start: where }));
      const before = await contentOf(folder);
      await expect(harness.platform({ folder })).rejects.toMatchObject({
        code: 'failed_precondition',
        message: expect.stringMatching(/in use by/),
      });
      expect(await contentOf(folder)).toEqual(before);
    } finally {
      first.thaw();
    }
    expect(await first.metrics()).toEqual(['app.requests']);
  },
);

test('a client that finds its spool in use changes nothing in it', async () => {
  const platform = await harness.platform();
  const spoolFolder = join(await harness.folder(), 'spool');
  const first = await harness.client(platform.grpcAddress, { spoolFolder });
  first.count('app.requests', 3);
  first.flush();
  await first.settled();
  const before = await contentOf(spoolFolder);
  await expect(harness.client(platform.grpcAddress, { spoolFolder })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/in use by/),
  });
  expect(await contentOf(spoolFolder)).toEqual(before);
});

/** When each file and folder of a folder was last changed, and the hashes of the files, by path. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs } = await stat(path);
    const hash = entry.isFile() ? createHash('sha256').update(await readFile(path)) : undefined;
    contents[path] = `${mtimeMs} ${hash?.digest('hex') ?? 'folder'}`;
  }
  return contents;
}
