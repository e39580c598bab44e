import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SimulatedClock } from '@tidemark/simulation';
import type { SnapshotTask } from './snapshot-messages.ts';
import { SnapshotThread } from './snapshot-thread.ts';

const TABLE_BYTES = 1000;

let folder = '';
let clock: SimulatedClock;
let thread: SnapshotThread;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-snapshot-thread-'));
  await mkdir(join(folder, 'checkpoint'));
  clock = new SimulatedClock();
  thread = new SnapshotThread(
    { place: { store: 'folder', folder: join(folder, 'objects') }, folder, user: 'test' },
    clock,
  );
});
afterEach(async () => {
  await thread.close();
  await rm(folder, { recursive: true });
});

async function taskAt(offset: number, content: number): Promise<SnapshotTask> {
  await writeFile(join(folder, 'checkpoint/000001.sst'), Buffer.alloc(TABLE_BYTES, content));
  await writeFile(join(folder, 'checkpoint/CURRENT'), `at ${offset}\n`);
  const files = [
    { name: '000001.sst', bytes: TABLE_BYTES, isTable: true },
    { name: 'CURRENT', bytes: `at ${offset}\n`.length, isTable: false },
  ];
  return {
    of: { kind: 'points', partition: 0 },
    checkpoint: { folder: 'checkpoint', files, database: 'one' },
    facts: { storeFormat: 9, logId: 'log', offset, stateHashes: [] },
    retention: { keep: 5, keepMs: 0 },
  };
}

describe('the thread of snapshots', () => {
  test('ends without a task, and the next one knows the tables that this one has read', async () => {
    const first = await thread.make(await taskAt(10, 1), {});
    expect(first).toMatchObject({ reusedBytes: 0, retentionError: undefined });
    await clock.advance(10_000);
    await thread.close();
    // A table with other bytes would be uploaded again if it were read.
    const second = await thread.make(await taskAt(11, 2), {});
    expect(second.reusedBytes).toBe(TABLE_BYTES);
  });

  test('has another thread for a task that comes while one ends', async () => {
    await thread.make(await taskAt(10, 1), {});
    await clock.advance(10_000);
    expect(await thread.make(await taskAt(11, 1), {})).toMatchObject({ retentionError: undefined });
  });

  test('fails its tasks as cancelled when it is closed, and a restore says so', async () => {
    const task = await taskAt(10, 1);
    const made = expect(thread.make(task, {})).rejects.toMatchObject({ code: 'cancelled' });
    const restored = thread.restore({ kind: 'points', partition: 0, to: 'points/0', logId: 'log', fromOffset: 0 });
    await thread.close();
    await made;
    expect(await restored).toMatchObject({ state: 'failed', error: { code: 'cancelled' } });
  });

  test('ends a task with the reason of its signal, and says what an object store that fails says', async () => {
    const abort = new AbortController();
    const made = thread.make(await taskAt(10, 1), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(made).rejects.toThrow('enough');
    await writeFile(join(folder, 'file'), '');
    const broken = new SnapshotThread(
      { place: { store: 'folder', folder: join(folder, 'file') }, folder, user: 'test' },
      clock,
    );
    await expect(broken.make(await taskAt(10, 1), {})).rejects.toMatchObject({
      message: expect.stringContaining(folder),
    });
    await broken.close();
  });
});
