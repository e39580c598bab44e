import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
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

test.each(['this container', 'another container'])(
  'a process that finds its folder in use by %s changes nothing in it',
  async (where) => {
    const folder = await harness.folder();
    const first = await harness.platform({ folder });
    const client = await harness.client(first.grpcAddress);
    client.count('app.requests', 3);
    client.flush();
    await client.settled();
    const lock = join(folder, 'log', 'LOCK.1');
    const { pid } = JSON.parse(await readFile(lock, 'utf8'));
    // Paused, so that it changes nothing itself. From another container its number is not visible.
    process.kill(pid, 'SIGSTOP');
    try {
      if (where === 'another container') await writeFile(lock, JSON.stringify({ pid: 2 ** 22 + 1, start: where }));
      const before = await contentOf(folder);
      await expect(harness.platform({ folder })).rejects.toMatchObject({
        code: 'failed_precondition',
        message: expect.stringMatching(/in use by/),
      });
      expect(await contentOf(folder)).toEqual(before);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await first.metrics()).toEqual(['app.requests']);
  },
);

/** The hash of each file of a folder, by its path. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const hashed = files.sort().map(async (file) => {
    return [
      file,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(hashed));
}
