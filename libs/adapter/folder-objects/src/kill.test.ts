import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { openLocalObjects } from './index.ts';

const KILLS = 3;
const ACKNOWLEDGED = 25;
const KEYS = 3;

/** Puts without end, larger and larger objects, and prints each acknowledged `key number` on a line. */
const WRITER = `
  const { openLocalObjects } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
  // The timers of a wait for the lock do not keep a process alive.
  setInterval(() => undefined, 1000);
  const store = openLocalObjects(process.argv[1]);
  for (let k = 0; k < ${KEYS}; k++) (async () => {
    for (let number = Number(process.argv[2]); ; number++) {
      await store.put('a/' + k + '.x', Buffer.from((number + ';').repeat(1 + number % 100 * 500)));
      process.stdout.write(k + ' ' + number + '\\n');
    }
  })();`;

test('kill -9 during puts leaves each object old or new, and another process continues meanwhile', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-objects-kill-'));
  // The other process: its drafts and locks are not those of the killed one.
  const other = openLocalObjects(folder);
  let isDone = false;
  const others = (async () => {
    let puts = 0;
    for (; !isDone; puts++) await other.put('other.x', Buffer.alloc(1000, puts));
    return puts;
  })();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await killed(folder, kill * 1000);
      const store = openLocalObjects(folder);
      // The first write removes what was left.
      await store.put('own.x', Buffer.from('1'));
      const drafts = await readdir(join(folder, 'drafts'));
      const owners = new Set(drafts.filter((name) => name.endsWith('.lock')).map((name) => name.split('.')[0]));
      expect(owners.size).toBe(2);
      for (const name of drafts) expect(owners).toContain(name.split(/[-.]/)[0]);
      for (const [key, number] of acknowledged) {
        const text = Buffer.from((await store.get(`a/${key}.x`)).bytes).toString();
        expect(text).toMatch(/^(\d+;)\1*$/);
        expect([number, number + 1]).toContain(Number.parseInt(text, 10));
      }
      await store.close();
    }
  } finally {
    isDone = true;
    expect(await others).toBeGreaterThan(0);
    await other.close();
    await rm(folder, { recursive: true });
  }
});

/** Kills a writer after some acknowledged puts, and returns the last acknowledged number of each key. */
async function killed(folder: string, first: number): Promise<Map<number, number>> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
  });
  const exited = once(child, 'exit');
  const acknowledged = new Map<number, number>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!/^\d+ \d+$/.test(line)) continue;
    const [key, number] = line.split(' ').map(Number);
    acknowledged.set(key, number);
    if (++count === ACKNOWLEDGED) child.kill('SIGKILL');
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
  return acknowledged;
}
