import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { parseSettings } from '@tidemark/settings';
import { Platform } from './platform.ts';

test('a platform names what the process, its threads and its queries have in memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-memory-'));
  const platform = await Platform.start({
    settings: parseSettings({ flags: { 'http-port': '0', 'grpc-port': '0', data: folder } }),
    clock: new SystemClock(),
    events: { info: () => undefined, error: () => undefined, fatal: (error) => console.error(error) },
    protoFolder: fileURLToPath(new URL('../../../../../proto', import.meta.url)),
  });
  try {
    const parts = new Map(platform.health.memory.map(({ holder, parts }) => [holder, parts.map(({ part }) => part)]));
    // Threads of stores report theirs within a second.
    expect([...parts.keys()]).toEqual(expect.arrayContaining(['process', 'main', 'queries']));
    expect(parts.get('queries')).toEqual(['answers', 'known_matches']);
  } finally {
    await platform.stop();
    await rm(folder, { recursive: true });
  }
});
