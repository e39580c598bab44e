import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type WalFolder, WalSync, walFolder } from './wal-sync.ts';

/** A folder that records which bytes of each write-ahead file are written and which are synced. */
class FakeFolder implements WalFolder {
  readonly written = new Map<number, number>();
  readonly synced = new Map<number, number>();
  readonly events: string[] = [];
  current = 4;
  failing = false;

  append(bytes: number): void {
    this.written.set(this.current, (this.written.get(this.current) ?? 0) + bytes);
  }

  currentNumber(): Promise<number> {
    return Promise.resolve(this.current);
  }

  numbers(): Promise<number[]> {
    return Promise.resolve([...this.written.keys()].reverse());
  }

  open(number: number) {
    if (!this.written.has(number)) return Promise.resolve(undefined);
    return Promise.resolve({
      sync: async () => {
        await Promise.resolve();
        if (this.failing) throw new Error('EIO: i/o error, fdatasync');
        this.events.push(`sync ${number}`);
        this.synced.set(number, this.written.get(number) ?? 0);
      },
      close: async () => {
        this.events.push(`close ${number}`);
      },
    });
  }

  async assertInPlace(): Promise<void> {}

  async syncNames(): Promise<void> {
    this.events.push('sync names');
  }
}

describe('WalSync', () => {
  test('a sync covers every file with writes before it', async () => {
    const folder = new FakeFolder();
    const wal = new WalSync(folder, 'db');
    folder.append(10);
    await wal.sync();
    for (const number of [9, 13, 14]) {
      folder.append(5);
      folder.current = number;
      folder.append(7);
    }
    await wal.sync();
    expect(folder.synced).toEqual(folder.written);
    expect(folder.events).toEqual([
      ...['sync names', 'sync 4'],
      ...['sync 4', 'sync 9', 'close 9', 'sync 13', 'close 13', 'close 4', 'sync names', 'sync 14'],
    ]);
    folder.written.delete(14);
    folder.current = 20;
    folder.append(1);
    await wal.sync();
    expect(folder.synced.get(20)).toBe(1);
  });

  test('waiting callers share one sync, and never one that began before their call', async () => {
    const folder = new FakeFolder();
    const wal = new WalSync(folder, 'db');
    folder.append(1);
    const first = wal.sync();
    await Promise.resolve();
    await Promise.resolve();
    const waiting = Array.from({ length: 10 }, () => {
      folder.append(1);
      return wal.sync();
    });
    await first;
    await Promise.all(waiting);
    expect(folder.synced.get(4)).toBe(11);
    expect(folder.events.filter((event) => event === 'sync 4').length).toBe(2);
  });

  test('every sync fails after a failed one', async () => {
    const folder = new FakeFolder();
    const wal = new WalSync(folder, 'db');
    folder.append(1);
    folder.failing = true;
    await expect(wal.sync()).rejects.toMatchObject({ code: 'unavailable' });
    folder.failing = false;
    await expect(wal.sync()).rejects.toMatchObject({ code: 'unavailable' });
    expect(() => wal.check()).toThrow('i/o error');
    await wal.close();
  });

  test('a file that RocksDB removed after it was listed is passed over', async () => {
    const path = await mkdtemp(join(tmpdir(), 'tidemark-wal-'));
    expect(await (await walFolder(path, async () => 8)).open(8)).toBeUndefined();
  });
});
