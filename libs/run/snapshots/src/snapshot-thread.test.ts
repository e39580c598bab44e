import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openRocksDb, type RocksDbKeyValue } from '@tidemark/rocksdb';
import { SimulatedClock } from '@tidemark/simulation';
import type { RestoreRequest } from '@tidemark/store-workers';
import type { SnapshotTask } from './snapshot-messages.ts';
import { SnapshotThread } from './snapshot-thread.ts';

let folder = '';
let database: RocksDbKeyValue;
let clock: SimulatedClock;
let thread: SnapshotThread;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-snapshot-thread-'));
  database = await openRocksDb(join(folder, 'db'));
  clock = new SimulatedClock();
  thread = new SnapshotThread(
    { place: { store: 'folder', folder: join(folder, 'objects') }, folder, user: 'test' },
    clock,
  );
});
afterEach(async () => {
  await thread.close();
  await database.close();
  await rm(folder, { recursive: true });
});

/** A task with a copy of the database, which has one more table for each. */
async function taskAt(offset: number): Promise<SnapshotTask> {
  await database.write([{ key: Buffer.from(`key ${offset}`), value: Buffer.alloc(1000, offset) }]);
  await database.flush();
  const copy = `checkpoint-${offset}`;
  const files = await database.checkpoint(join(folder, copy));
  return {
    of: { kind: 'points', partition: 0 },
    checkpoint: { folder: copy, files, database: 'one' },
    facts: { storeFormat: 9, logId: 'log', offset, stateHashes: [] },
    retention: { keep: 5, keepMs: 0 },
    base: undefined,
  };
}

/** The table of a task that was made first. */
function firstTable({ checkpoint: { folder: copy, files } }: SnapshotTask): { path: string; bytes: number } {
  const [table] = files.filter(({ isTable }) => isTable);
  return { path: join(folder, copy, table.name), bytes: table.bytes };
}

/** Flips a bit of an entry. */
async function damage(path: string): Promise<void> {
  const content = await readFile(path);
  content[100] ^= 1;
  await writeFile(path, content);
}

describe('the thread of snapshots', () => {
  test('ends without a task, and the next one knows the tables that this one has read', async () => {
    const first = await thread.make(await taskAt(10), {});
    expect(first).toMatchObject({ reusedBytes: 0, retentionError: undefined });
    await clock.advance(10_000);
    await thread.ended();
    const task = await taskAt(11);
    const { path, bytes } = firstTable(task);
    // It would not be the one that was uploaded if it were read.
    await damage(path);
    expect((await thread.make(task, {})).reusedBytes).toBeGreaterThanOrEqual(bytes);
  });

  test('makes one snapshot at a time', async () => {
    const seen: string[] = [];
    const make = async (task: SnapshotTask): Promise<void> => {
      const { offset } = task.facts;
      await thread.make(task, { onProgress: () => void seen.push(`progress of ${offset}`) });
      seen.push(`made ${offset}`);
    };
    const tasks = [await taskAt(10), await taskAt(11)];
    await Promise.all(tasks.map(make));
    expect([...new Set(seen)]).toEqual(['progress of 10', 'made 10', 'progress of 11', 'made 11']);
  });

  test('makes none of a table that is damaged', async () => {
    const task = await taskAt(10);
    await damage(firstTable(task).path);
    await expect(thread.make(task, {})).rejects.toMatchObject({ code: 'data_loss' });
  });

  test('has another thread for a task that comes while one ends', async () => {
    await thread.make(await taskAt(10), {});
    await clock.advance(10_000);
    expect(await thread.make(await taskAt(11), {})).toMatchObject({ retentionError: undefined });
  });

  test('fails its tasks as cancelled when it is closed, and a restore says so', async () => {
    const task = await taskAt(10);
    const made = expect(thread.make(task, {})).rejects.toMatchObject({ code: 'cancelled' });
    const place = { kind: 'points', partition: 0, to: 'points/0' } as const;
    const request = { ...place, logId: 'log', fromOffset: 0, toOffset: 100, askedMs: 0, format: 9, without: [] };
    const restored = thread.restore(request);
    await thread.close();
    await made;
    const cancelled = { state: 'failed', error: { code: 'cancelled' } };
    expect(await restored).toMatchObject(cancelled);
    // A later task starts no thread.
    expect(await thread.restore(request)).toMatchObject(cancelled);
  });

  test('restores the newest snapshot that the log continues, or says what is wrong with each', async () => {
    await thread.make(await taskAt(10), {});
    const newest = await thread.make(await taskAt(20), {});
    let restores = 0;
    const restored = (request: Partial<RestoreRequest>) =>
      thread.restore({
        ...{ kind: 'points', partition: 0, to: `points/${restores++}`, logId: 'log' },
        ...{ fromOffset: 0, toOffset: 100, askedMs: Date.now() + 3_600_000, format: 9, without: [] },
        ...request,
      });
    expect(await restored({})).toMatchObject({ state: 'restored', snapshot: { offset: 20 } });
    const without = [{ id: newest.id, why: 'was damaged', mayHelp: false }];
    expect(await restored({ without })).toMatchObject({ state: 'restored', snapshot: { offset: 10 } });
    // The log lost its end, or the data folder is an older copy.
    expect(await restored({ toOffset: 15 })).toMatchObject({
      ...{ state: 'restored', snapshot: { offset: 10 } },
      damaged: [{ id: newest.id, why: 'ends at offset 20, and the log at 15', mayHelp: false }],
    });
    const none = (text: RegExp, mayHelp: boolean) => ({
      ...{ state: 'none', found: expect.stringMatching(text), mayHelp },
      damaged: expect.anything(),
    });
    const above =
      /0020-[0-9a-f]{16} ends at offset 20, and the log at 15; .*0010-.* ends at offset 10, and the log begins at 12$/;
    expect(await restored({ fromOffset: 12, toOffset: 15 })).toEqual(none(above, false));
    expect(await restored({ fromOffset: 12, without })).toEqual(none(/ was damaged; /, false));
    const before = [{ id: newest.id, why: 'was restored', mayHelp: true }];
    expect(await restored({ fromOffset: 12, without: before })).toEqual(none(/ was restored; /, true));
    const since = await restored({ fromOffset: 12, toOffset: 15, askedMs: 0 });
    expect(since).toEqual(none(/0020-[0-9a-f]{16} is newer than what is known of the log; /, true));
    expect(await restored({ format: 8 })).toEqual(none(/has the format 9, and this program reads 8; /, true));
    expect(await restored({ logId: 'other' })).toEqual(none(/is of the log log, expected other; /, false));
    expect(await restored({ fromOffset: 21 })).toEqual(none(/ends at offset 20, and the log begins at 21; /, false));
  });

  test('ends a task with the reason of its signal, and says what an object store that fails says', async () => {
    const abort = new AbortController();
    const made = thread.make(await taskAt(10), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(made).rejects.toThrow('enough');
    await writeFile(join(folder, 'file'), '');
    const broken = new SnapshotThread(
      { place: { store: 'folder', folder: join(folder, 'file') }, folder, user: 'test' },
      clock,
    );
    await expect(broken.make(await taskAt(11), {})).rejects.toMatchObject({
      message: expect.stringContaining(folder),
    });
    await broken.close();
  });
});
