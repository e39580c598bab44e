import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Disk, DiskFile } from '@tidemark/ports';

export interface DiskUnderTest {
  readonly disk: Disk;
  close(): Promise<void>;
}

/** Registers the cases that every adapter of the disk port must pass. Each case gets an empty disk of its own. */
export function diskConformance(name: string, make: () => Promise<DiskUnderTest>): void {
  describe(`disk conformance: ${name}`, () => {
    let under: DiskUnderTest;
    let disk: Disk;

    beforeEach(async () => {
      under = await make();
      disk = under.disk;
    });
    afterEach(() => under.close());

    async function put(path: string, text: string): Promise<void> {
      const file = await disk.open(path, { create: true });
      await file.write(Buffer.from(text), 0);
      await file.sync();
      await file.close();
    }

    async function textOf(file: DiskFile): Promise<string> {
      const bytes = Buffer.alloc(await file.sizeBytes());
      return bytes.subarray(0, await file.read(bytes, 0)).toString();
    }

    async function get(path: string): Promise<string> {
      const file = await disk.open(path);
      const text = await textOf(file);
      await file.close();
      return text;
    }

    test('a file that does not exist is not found, and create makes it with its parents', async () => {
      await expect(disk.open('a/b/c')).rejects.toMatchObject({ code: 'not_found' });
      await put('a/b/c', 'hello');
      expect(await get('a/b/c')).toBe('hello');
    });

    test('create opens an existing file unchanged', async () => {
      await put('f', 'hello');
      const file = await disk.open('f', { create: true });
      expect(await textOf(file)).toBe('hello');
      await file.close();
    });

    test('a write goes to its position, and a hole reads as zeros', async () => {
      const file = await disk.open('f', { create: true });
      await file.write(Buffer.from('tail'), 8);
      await file.write(Buffer.from('head'), 0);
      expect(await textOf(file)).toBe('head\0\0\0\0tail');
      await file.write(Buffer.from('HE'), 0);
      expect(await textOf(file)).toBe('HEad\0\0\0\0tail');
      await file.close();
    });

    test('a read at the end is short, and beyond it empty', async () => {
      const file = await disk.open('f', { create: true });
      await file.write(Buffer.from('12345'), 0);
      const target = Buffer.alloc(10);
      expect(await file.read(target, 3)).toBe(2);
      expect(target.subarray(0, 2).toString()).toBe('45');
      expect(await file.read(target, 5)).toBe(0);
      expect(await file.read(target, 100)).toBe(0);
      await file.close();
    });

    test('truncate shortens and lengthens', async () => {
      const file = await disk.open('f', { create: true });
      await file.write(Buffer.from('12345'), 0);
      await file.truncate(2);
      expect(await textOf(file)).toBe('12');
      await file.truncate(4);
      expect(await textOf(file)).toBe('12\0\0');
      await file.close();
    });

    test('two handles of one file see the same bytes', async () => {
      const writer = await disk.open('f', { create: true });
      const reader = await disk.open('f');
      await writer.write(Buffer.from('seen'), 0);
      expect(await textOf(reader)).toBe('seen');
      await writer.close();
      await reader.close();
    });

    test('rename replaces its target, and open handles follow the file', async () => {
      await put('to', 'old');
      await put('from', 'new');
      const handle = await disk.open('from');
      await disk.rename('from', 'to');
      expect(await get('to')).toBe('new');
      await expect(disk.open('from')).rejects.toMatchObject({ code: 'not_found' });
      await handle.write(Buffer.from('NEW'), 0);
      expect(await get('to')).toBe('NEW');
      await handle.close();
      await expect(disk.rename('absent', 'x')).rejects.toMatchObject({ code: 'not_found' });
    });

    test('list is sorted, includes folders, and is empty for an absent folder', async () => {
      await put('d/b', '');
      await put('d/a', '');
      await put('d/sub/c', '');
      expect(await disk.list('d')).toEqual(['a', 'b', 'sub']);
      expect(await disk.list('absent')).toEqual([]);
    });

    test('remove deletes files and whole folders, and ignores an absent path', async () => {
      await put('d/a', 'x');
      await put('d/sub/c', 'y');
      await disk.remove('d/a');
      expect(await disk.list('d')).toEqual(['sub']);
      await disk.remove('d');
      expect(await disk.list('d')).toEqual([]);
      await disk.remove('d');
    });

    test('a lock refuses others until it is released', async () => {
      const lock = await disk.lock('LOCK');
      await expect(disk.lock('LOCK')).rejects.toMatchObject({ code: 'failed_precondition' });
      await lock.release();
      await lock.release();
      const again = await disk.lock('LOCK');
      await again.release();
    });

    test('space is a number of bytes', async () => {
      const { freeBytes, totalBytes } = await disk.space();
      expect(totalBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeGreaterThanOrEqual(0);
      expect(freeBytes).toBeLessThanOrEqual(totalBytes);
    });
  });
}
