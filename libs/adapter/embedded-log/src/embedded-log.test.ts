import { describe, expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { type Clock, isFullLog, isTidemarkError, type LogRecord, ReusedMemory } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { type EmbeddedLog, type EmbeddedLogLimits, openEmbeddedLog, openEmbeddedLogReader } from './index.ts';

const NOW = { maxBytes: 2 ** 20, waitMs: 0 };
const clock = new SystemClock();

/** Notes the memory of each write of more than 1,000 bytes. */
class NotingDisk extends CrashDisk {
  readonly written: ArrayBufferLike[] = [];

  override async open(...given: Parameters<CrashDisk['open']>): ReturnType<CrashDisk['open']> {
    const file = await super.open(...given);
    const write = (source: Uint8Array, position: number): Promise<void> => {
      if (source.length > 1000) this.written.push(source.buffer);
      return file.write(source, position);
    };
    return { ...file, write };
  }
}

function newDisk(): CrashDisk {
  return new CrashDisk(new SeededRandom(1), { failedWrite: 0, failedSync: 0 });
}

function open(disk: CrashDisk, limits: Partial<EmbeddedLogLimits> = {}, ticking: Clock = clock): Promise<EmbeddedLog> {
  return openEmbeddedLog({
    disk,
    clock: ticking,
    random: new SeededRandom(2),
    partitions: { points: 2, control: 1 },
    limits: { segmentBytes: 1000, tailCacheBytes: 0, ...limits },
  });
}

async function fill(log: EmbeddedLog, count: number, sizeBytes = 100): Promise<void> {
  const writer = await log.writer('points', 0);
  for (let sequence = 0; sequence < count; sequence++) await writer.append(sequence, Buffer.alloc(sizeBytes, sequence));
}

async function read(log: Pick<EmbeddedLog, 'read'>, from: number): Promise<LogRecord[]> {
  return log.read('points', 0, from, NOW);
}

/** Changes one byte of a stored file. */
function rot(disk: CrashDisk, path: string, at: number): void {
  const bytes = Uint8Array.from(disk.bytesOf(path));
  bytes[at] ^= 0x10;
  disk.put(path, bytes);
}

function segments(disk: CrashDisk, partition = 0): string[] {
  return disk.paths().filter((path) => path.startsWith(`points/${partition}/`) && path.endsWith('.segment'));
}

test('heads with more producers than a segment has bytes do not make each append a segment', async () => {
  const disk = newDisk();
  const log = await open(disk);
  const writers = await Promise.all(Array.from({ length: 100 }, () => log.writer('points', 0)));
  for (const writer of writers) await writer.append(0, Buffer.alloc(100));
  const before = segments(disk).length;
  for (const writer of writers) await writer.append(1, Buffer.alloc(100));
  // The heads are larger than 1,000 bytes: segments have as many bytes of records.
  expect(segments(disk).length - before).toBeLessThan(5);
  await log.close();
});

test('reads that name a memory put their values there, and others have memory of their own', async () => {
  const disk = newDisk();
  const log = await open(disk);
  await fill(log, 3);
  const memory = new ReusedMemory();
  const first = await log.read('points', 0, 0, { ...NOW, memory });
  const own = await read(log, 0);
  expect(first.map(({ value }) => value[0])).toEqual([0, 1, 2]);
  const second = await log.read('points', 0, 1, { ...NOW, memory });
  expect(second.map(({ value }) => value[0])).toEqual([1, 2]);
  expect(second[0].value.buffer).toBe(first[0].value.buffer);
  expect(own.map(({ value }) => [value[0], value.buffer === first[0].value.buffer])).toEqual(
    [0, 1, 2].map((i) => [i, false]),
  );
  await log.close();
});

test('groups that no reader gets from memory are written from one piece of it, others have memory of their own', async () => {
  const disk = new NotingDisk(new SeededRandom(1), { failedWrite: 0, failedSync: 0 });
  const { written } = disk;
  const log = await open(disk, { tailCacheBytes: 10_000 });
  await fill(log, 3, 2000);
  expect(new Set(written).size).toBe(1);
  await read(log, 0);
  const writer = await log.writer('points', 0);
  for (const sequence of [0, 1]) await writer.append(sequence, Buffer.alloc(2000, 9));
  expect(new Set(written).size).toBe(3);
  expect((await read(log, 3)).map(({ value }) => value[0])).toEqual([9, 9]);
  await log.close();
});

describe('damage', () => {
  const HEADER = 64;

  test('a log whose control is gone is refused at each start, and nothing of it is changed', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await fill(log, 3);
    await log.close();
    for (const path of disk.paths()) if (path.startsWith('control/')) await disk.remove(path);
    const before = disk.paths();
    for (let start = 0; start < 2; start++) {
      const message = expect.stringContaining('log/control/0 is missing or empty, but log/points/0 exists');
      await expect(open(disk)).rejects.toMatchObject({ code: 'failed_precondition', message });
    }
    expect(disk.paths()).toEqual(before);
  });

  test('control is created before other partitions, so that a first start may be killed at any time', async () => {
    const disk = newDisk();
    await (await open(disk)).close();
    // The list of partitions is written last.
    for (const path of disk.paths()) if (/^(points|tags)\/|^PARTITIONS/.test(path)) await disk.remove(path);
    await (await open(disk)).close();
    for (const path of disk.paths()) if (/^(points|tags|control)\/|^PARTITIONS/.test(path)) await disk.remove(path);
    await (await open(disk)).close();
  });

  test('a damaged value in the middle is data_loss at its offset, and the next offset can be read', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await fill(log, 20);
    await log.close();
    const [path] = segments(disk);
    const size = disk.bytesOf(path).length;
    rot(disk, path, size - 10);
    const again = await open(disk);
    const last = Number(segments(disk)[1].slice(-24, -8)) - 1;
    expect((await read(again, 0)).map((record) => record.offset)).toEqual(Array.from({ length: last }, (_, i) => i));
    await expect(read(again, last)).rejects.toMatchObject({
      code: 'data_loss',
      message: expect.stringContaining(`offset ${last} of points partition 0`),
      detail: { topic: 'points', partition: 0, offset: last, resumeAt: last + 1 },
    });
    expect((await read(again, last + 1))[0].offset).toBe(last + 1);
    await again.close();
  });

  test('a damaged record header is data_loss, and the reader resumes at the next record', async () => {
    const disk = newDisk();
    const log = await open(disk, { segmentBytes: 100_000 });
    await fill(log, 20);
    await log.close();
    const [path] = segments(disk);
    const position = disk.bytesOf(path).length - 10 * (HEADER + 100);
    rot(disk, path, position + 12);
    const again = await open(disk, { segmentBytes: 100_000 });
    expect(await again.bounds('points', 0)).toMatchObject({ first: 0, next: 20 });
    expect(await read(again, 0)).toHaveLength(10);
    await expect(read(again, 10)).rejects.toMatchObject({ code: 'data_loss', detail: { offset: 10, resumeAt: 11 } });
    expect((await read(again, 11)).map((record) => record.value[0])).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19]);
    await again.close();
  });

  test('a lost segment is data_loss up to the next one', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await fill(log, 30);
    await log.close();
    const lost = segments(disk)[1];
    const [from, to] = [lost, segments(disk)[2]].map((path) => Number(path.slice(-24, -8)));
    await disk.remove(lost);
    const again = await open(disk);
    await expect(read(again, from)).rejects.toMatchObject({ code: 'data_loss', detail: { resumeAt: to } });
    expect((await read(again, to))[0].value[0]).toBe(to);
    await again.close();
  });

  test('a damaged head of the last segment costs none of its records, and appends continue', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await fill(log, 30);
    await log.close();
    rot(disk, segments(disk).at(-1) ?? '', 20);
    const again = await open(disk);
    const { offset } = await (await again.writer('points', 0)).append(0, Buffer.from('more'));
    expect(offset).toBe(30);
    expect((await read(again, 29)).map((record) => record.value[0])).toEqual([29]);
    await again.close();
  });

  test('a damaged record of an unmarked group costs only itself, and the rest of the group is kept', async () => {
    const disk = newDisk();
    const log = await open(disk, { segmentBytes: 100_000 });
    const writers = await Promise.all(Array.from({ length: 4 }, () => log.writer('points', 0)));
    await Promise.all(writers.map((writer, w) => writer.append(0, Buffer.alloc(100, w + 1))));
    await log.close();
    const [path] = segments(disk);
    rot(disk, path, disk.bytesOf(path).length - 3 * (HEADER + 100) + 12);
    disk.put('points/0/SYNCED', Buffer.alloc(0));
    const again = await open(disk, { segmentBytes: 100_000 });
    expect((await again.bounds('points', 0)).next).toBe(4);
    await expect(read(again, 1)).rejects.toMatchObject({ code: 'data_loss', detail: { resumeAt: 2 } });
    expect((await read(again, 2)).map((record) => record.value[0])).toEqual([3, 4]);
    await again.close();
  });

  test('a segment without one whole record costs all of them, and no offset is used again', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await fill(log, 30);
    await log.close();
    const path = segments(disk).at(-1) ?? '';
    const base = Number(path.slice(-24, -8));
    disk.put(path, Buffer.alloc(disk.bytesOf(path).length, 0xaa));
    disk.put('points/0/SYNCED', Buffer.alloc(0));
    const again = await open(disk);
    const { next } = await again.bounds('points', 0);
    expect(next).toBeGreaterThanOrEqual(30);
    await expect(read(again, base)).rejects.toMatchObject({ code: 'data_loss', detail: { resumeAt: next } });
    expect((await (await again.writer('points', 0)).append(0, Buffer.from('more'))).offset).toBe(next);
    await again.close();
  });
});

describe('a full disk', () => {
  test('a full disk refuses appends as not stored, still serves reads, and accepts appends when it has space', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await fill(log, 5);
    const writer = await log.writer('points', 0);
    disk.full = true;
    const error = await writer.append(0, Buffer.from('a')).catch((reason: unknown) => reason);
    expect(isFullLog(error)).toBe(true);
    expect(error).toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringMatching(
        /points partition 0: .*; \d+ of \d+ bytes of that disk are free: free space there, and/,
      ),
    });
    expect(await read(log, 0)).toHaveLength(5);
    disk.full = false;
    expect((await writer.append(0, Buffer.from('b'))).offset).toBe(5);
    disk.reboot(true);
    const again = await open(disk);
    expect((await read(again, 5)).map((record) => Buffer.from(record.value).toString())).toEqual(['b']);
  });

  test('the bound over all topics refuses appends, keeps a share for control, and trimming frees space', async () => {
    const disk = newDisk();
    const log = await open(disk, { maxBytes: 40_000 });
    const writer = await log.writer('points', 0);
    let sequence = 0;
    const untilFull = async () => {
      while (true) await writer.append(sequence, Buffer.alloc(500)).then(() => sequence++);
    };
    await expect(untilFull()).rejects.toMatchObject({ code: 'resource_exhausted', detail: { limit: 40_000 } });
    expect(log.storedBytes).toBeLessThanOrEqual(35_000);
    await (await log.writer('control', 0)).append(0, Buffer.alloc(500));
    await log.trim('points', 0, sequence);
    expect((await writer.append(sequence, Buffer.alloc(500))).offset).toBe(sequence);
    const { storedBytes } = log;
    await log.close();
    const again = await open(disk, { maxBytes: 40_000 });
    expect(again.storedBytes).toBe(storedBytes);
    expect(storedBytes).toBe(
      disk.paths().reduce((sum, path) => sum + (path.endsWith('.segment') ? disk.bytesOf(path).length : 0), 0),
    );
    await again.close();
  });
});

describe('opening', () => {
  test('another format is refused, and the error names both versions', async () => {
    const disk = newDisk();
    await (await open(disk)).close();
    for (const version of [1, 2, 3, 5]) {
      disk.put('FORMAT', Buffer.from(`tidemark-log ${version}\n`));
      await expect(open(disk)).rejects.toMatchObject({
        code: 'failed_precondition',
        detail: { version, supported: 4 },
      });
    }
    disk.put('FORMAT', Buffer.from('something else'));
    await expect(open(disk)).rejects.toMatchObject({ code: 'data_loss' });
  });

  test('every flipped bit of the format file is refused with the file and what to do', async () => {
    const disk = newDisk();
    await (await open(disk)).close();
    const whole = Buffer.from('tidemark-log 4\n');
    for (let at = 0; at < whole.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(whole);
        flipped[at] ^= 1 << bit;
        disk.put('FORMAT', flipped);
        const message = expect.stringMatching(/^log\/FORMAT .*restore (it|the file) from a copy$/);
        await expect(open(disk)).rejects.toMatchObject({ message, detail: { file: 'FORMAT' } });
      }
    }
    disk.put('FORMAT', whole);
    await (await open(disk)).close();
  });

  test('a folder with partitions and without the format file is refused, and is not changed', async () => {
    const disk = newDisk();
    await (await open(disk)).close();
    const whole = disk.bytesOf('FORMAT');
    await disk.remove('FORMAT');
    await expect(open(disk)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringMatching(/^log\/FORMAT is missing, but log\/points\/0 exists: .*"tidemark-log 4"/),
      detail: { file: 'FORMAT' },
    });
    expect(disk.paths()).not.toContain('FORMAT');
    disk.put('FORMAT', whole);
    await (await open(disk)).close();
  });

  test('a consumer that has more than the log raises its end, and the records between are lost', async () => {
    const disk = newDisk();
    const log = await open(disk, { tailCacheBytes: 10_000 });
    const reader = await openEmbeddedLogReader({ disk, clock, partitions: { points: 2, control: 1 } });
    log.onAppend((...progress) => reader.advance(...progress));
    expect(await log.read('points', 0, 0, { maxBytes: 1, waitMs: 0 })).toEqual([]);
    await fill(log, 3);
    await log.raise('points', 0, 2);
    expect((await log.bounds('points', 0)).next).toBe(3);
    const waiting = reader.read('points', 0, 3, { maxBytes: 1, waitMs: 60_000 });
    await log.raise('points', 0, 7);
    const loss = { code: 'data_loss', detail: { offset: 3, resumeAt: 7 } };
    await expect(waiting).rejects.toMatchObject(loss);
    const writer = await log.writer('points', 0);
    expect((await writer.append(0, Buffer.from('above'))).offset).toBe(7);
    for (const one of [log, reader]) {
      expect((await read(one, 0)).map(({ offset }) => offset)).toEqual([0, 1, 2]);
      await expect(read(one, 3)).rejects.toMatchObject(loss);
      await expect(read(one, 5)).rejects.toMatchObject({ code: 'data_loss', detail: { offset: 5, resumeAt: 7 } });
      expect((await read(one, 7))[0].value.toString()).toBe('above');
    }
    await reader.close();
    await log.close();
    const again = await open(disk);
    expect(await again.bounds('points', 0)).toMatchObject({ first: 0, next: 8 });
    await again.close();
  });

  test('a raise on a full disk reaches the readers, and the next append makes it durable', async () => {
    const disk = newDisk();
    const log = await open(disk);
    const reader = await openEmbeddedLogReader({ disk, clock, partitions: { points: 2, control: 1 } });
    log.onAppend((...progress) => reader.advance(...progress));
    disk.full = true;
    await expect(log.raise('points', 0, 7)).rejects.toMatchObject({ code: 'resource_exhausted' });
    expect((await reader.bounds('points', 0)).next).toBe(7);
    expect(await reader.read('points', 0, 7, NOW)).toEqual([]);
    await expect(reader.read('points', 0, 0, NOW)).rejects.toMatchObject({ detail: { offset: 0, resumeAt: 7 } });
    disk.full = false;
    expect((await (await log.writer('points', 0)).append(0, Buffer.from('a'))).offset).toBe(7);
    await reader.close();
    await log.close();
    const again = await open(disk);
    expect((await again.bounds('points', 0)).next).toBe(8);
    await again.close();
  });

  test('the id of a partition stays, and each opening of the log is a generation', async () => {
    const disk = newDisk();
    const log = await open(disk);
    const { id } = await log.bounds('points', 0);
    expect((await log.bounds('points', 1)).id).not.toBe(id);
    await fill(log, 1);
    await log.close();
    disk.put('points/0/SYNCED', Buffer.alloc(0));
    const again = await openEmbeddedLog({
      ...{ disk, clock, random: new SeededRandom(9), partitions: { points: 2, control: 1 } },
      limits: { tailCacheBytes: 0 },
    });
    expect((await again.bounds('points', 0)).id).toBe(id);
    await fill(again, 1);
    const [first, second] = (await read(again, 0)).map(({ generation }) => generation);
    expect(first).toBeGreaterThan(0);
    expect(second).not.toBe(first);
    await again.close();
  });

  test('a damaged head, without a sync mark, does not change the id while another head has it', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await fill(log, 30);
    const { id, next } = await log.bounds('points', 0);
    await log.close();
    const paths = segments(disk);
    expect(paths.length).toBeGreaterThan(2);
    await disk.remove('points/0/SYNCED');
    for (const path of paths.slice(1)) rot(disk, path, 20);
    const again = await openEmbeddedLog({
      disk,
      clock,
      random: new SeededRandom(9),
      partitions: { points: 2, control: 1 },
    });
    expect(await again.bounds('points', 0)).toMatchObject({ id, next });
    await again.close();
  });

  test('a second log in the folder, and fewer partitions than it holds, are refused', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await expect(open(disk)).rejects.toMatchObject({ code: 'failed_precondition' });
    await log.close();
    await expect(
      openEmbeddedLog({ disk, clock, random: new SeededRandom(3), partitions: { points: 1, control: 1 } }),
    ).rejects.toMatchObject({ code: 'failed_precondition', detail: { found: 2, asked: 1 } });
    await (await open(disk)).close();
  });

  test('append times go back when the clock does, so that readers learn of it', async () => {
    const disk = newDisk();
    let wallMs = 5000;
    const jumping: Clock = {
      wallMs: () => wallMs,
      monotonicMs: () => 0,
      setTimer: (ms, task) => clock.setTimer(ms, task),
    };
    const log = await open(disk, {}, jumping);
    await fill(log, 1);
    await log.close();
    wallMs = 10;
    const again = await open(disk, {}, jumping);
    expect((await (await again.writer('points', 0)).append(0, Buffer.from('x'))).appendTimeMs).toBe(10);
    await again.close();
  });
});

describe('groups', () => {
  test('appends that arrive together share one write and one sync', async () => {
    const disk = newDisk();
    const log = await open(disk, { segmentBytes: 1_000_000 });
    const writers = await Promise.all(Array.from({ length: 50 }, () => log.writer('points', 0)));
    let groups = 0;
    log.onAppend(() => groups++);
    const initial = groups;
    await Promise.all(writers.map((writer, i) => writer.append(0, Buffer.from([i]))));
    expect(groups - initial).toBe(1);
    await log.close();
  });

  test('a repeat joins its first attempt while that is in flight', async () => {
    const log = await open(newDisk());
    const writer = await log.writer('points', 0);
    const value = Buffer.from('same');
    const [one, two] = await Promise.all([writer.append(0, value), writer.append(0, value)]);
    expect(two).toEqual(one);
    expect((await log.bounds('points', 0)).next).toBe(1);
    await log.close();
    await expect(writer.append(1, value)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('closing waits for appends in flight, and ends waiting reads', async () => {
    const disk = newDisk();
    const log = await open(disk);
    const writer = await log.writer('points', 0);
    const append = writer.append(0, Buffer.from('last'));
    const waiting = log.read('points', 1, 0, { maxBytes: 1, waitMs: 60_000 }).catch((error) => error);
    await log.close();
    expect((await append).offset).toBe(0);
    expect(isTidemarkError(await waiting, 'unavailable')).toBe(true);
    const again = await open(disk);
    expect((await again.bounds('points', 0)).next).toBe(1);
    await again.close();
  });

  test('too many waiting reads, and too many waiting bytes, are refused', async () => {
    const log = await open(newDisk(), { waitingReads: 1, pendingBytes: 1000 });
    const first = log.read('points', 0, 0, { maxBytes: 1, waitMs: 60_000 });
    await expect(log.read('points', 0, 0, { maxBytes: 1, waitMs: 60_000 })).rejects.toMatchObject({
      code: 'resource_exhausted',
    });
    const writers = await Promise.all(Array.from({ length: 3 }, () => log.writer('points', 0)));
    const appends = await Promise.allSettled(writers.map((writer) => writer.append(0, Buffer.alloc(600))));
    expect(appends.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
    const refused = appends.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    // Many bytes wait, which is not a full log: that would refuse all points until an operator acts.
    for (const error of refused) {
      expect([error.code, error.detail.busy, isFullLog(error)]).toEqual(['resource_exhausted', true, false]);
    }
    expect(refused).toHaveLength(2);
    expect((await writers[0].append(1, Buffer.alloc(600))).offset).toBe(1);
    expect(await first).toHaveLength(1);
    await log.close();
  });

  test('the oldest producer is forgotten, and a producer with a writer in use is not', async () => {
    const disk = newDisk();
    const log = await open(disk, { producers: 2 });
    const old = await log.writer('points', 0);
    await old.append(0, Buffer.from('old'));
    for (let i = 0; i < 3; i++) await (await log.writer('points', 0)).append(0, Buffer.from('new'));
    expect((await old.append(0, Buffer.from('old'))).offset).toBe(0);
    expect((await old.append(1, Buffer.from('old'))).offset).toBe(4);
    await log.close();
  });
});

describe('EmbeddedLogReader', () => {
  test('a reader reads up to the reported offset, follows new segments and trims, and waits', async () => {
    const disk = newDisk();
    const log = await open(disk);
    const reader = await openEmbeddedLogReader({ disk, clock, partitions: { points: 2, control: 1 } });
    expect(await reader.read('points', 0, 0, NOW)).toEqual([]);
    await expect(reader.bounds('points', 0)).rejects.toMatchObject({ code: 'unavailable' });
    const waiting = reader.read('points', 0, 0, { maxBytes: 1000, waitMs: 60_000 });
    const stop = log.onAppend((...progress) => reader.advance(...progress));
    const late = reader.read('points', 0, 0, { maxBytes: 1000, waitMs: 60_000 });
    await fill(log, 20);
    // The first read ends with the first announcement, which is of an empty partition.
    expect(await waiting).toEqual([]);
    expect((await late).map((record) => record.offset)).toEqual([0]);
    expect(await reader.bounds('points', 0)).toMatchObject({ first: 0, next: 20 });
    const seen: number[] = [];
    while (seen.length < 20) for (const record of await read(reader, seen.length)) seen.push(record.value[0]);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await log.trim('points', 0, 15);
    const { first } = await reader.bounds('points', 0);
    expect(first).toBeGreaterThan(0);
    await expect(read(reader, first - 1)).rejects.toMatchObject({ code: 'out_of_range' });
    stop();
    await fill(log, 1);
    await expect(read(reader, 21)).rejects.toMatchObject({ code: 'out_of_range' });
    expect(await read(reader, 20)).toEqual([]);
    await reader.close();
    await log.close();
  });
});
