import { describe, expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { SystemClock } from '@tidemark/node-runtime';
import { below, isTidemarkError } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { type EmbeddedLog, type LostRange, openEmbeddedLog } from './index.ts';

const clock = new SystemClock();
const LAST_RECORDS = 3;
const HEADER_BYTES = 64;
const MARKS = 'points/0/SYNCED';

type Ending = 'close' | 'kill' | 'power loss';

/** A stopped log: the files, and every acknowledged value by its offset. */
interface Stopped {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly acked: readonly Buffer[];
  /** The last segment. */
  readonly path: string;
}

interface Found {
  readonly values: ReadonlyMap<number, Buffer>;
  /** Number of offsets that are reported as lost. */
  readonly lost: number;
  readonly next: number;
  readonly ranges: readonly LostRange[];
}

function diskOf(files: ReadonlyMap<string, Uint8Array>): CrashDisk {
  const disk = new CrashDisk(new SeededRandom(3), { failedWrite: 0, failedSync: 0 });
  for (const [path, bytes] of files) disk.put(path, bytes);
  return disk;
}

function open(disk: CrashDisk, seed: number, segmentBytes = 100_000): Promise<EmbeddedLog> {
  const limits = { segmentBytes, tailCacheBytes: 0 };
  return openEmbeddedLog({ disk, clock, random: new SeededRandom(seed), partitions: { points: 1 }, limits });
}

/** A value of bytes that are not zero, so that no part of it looks as if it was never written. */
function withoutZeros(random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: 5 + below(random, 30) }, () => 1 + below(random, 255)));
}

/** A value of zeros behind its first byte. */
function withZeros(random: SeededRandom): Buffer {
  const value = Buffer.alloc(65 + below(random, 30));
  value[0] = 1 + below(random, 255);
  return value;
}

/** Appends groups of one to three records, then ends the log. */
async function stopped(seed: number, ending: Ending, segmentBytes?: number, newValue = withoutZeros): Promise<Stopped> {
  const random = new SeededRandom(seed);
  const disk = new CrashDisk(random, { failedWrite: 0, failedSync: 0 });
  const log = await open(disk, seed, segmentBytes);
  const acked: Buffer[] = [];
  const writers = [await log.writer('points', 0), await log.writer('points', 0), await log.writer('points', 0)];
  const sequences = [0, 0, 0];
  for (let group = 0; group < 6; group++) {
    const count = 1 + below(random, writers.length);
    await Promise.all(
      writers.slice(0, count).map(async (writer, w) => {
        const value = newValue(random);
        const { offset } = await writer.append(sequences[w]++, value);
        acked[offset] = value;
      }),
    );
  }
  if (ending === 'close') await log.close();
  else disk.reboot(ending === 'power loss');
  const files = new Map(disk.paths().map((path) => [path, Uint8Array.from(disk.bytesOf(path))]));
  return { files, acked, path: disk.paths().findLast((name) => name.endsWith('.segment')) ?? '' };
}

/** Reads everything from the first offset on; an offset that is neither read nor reported as lost fails the test. */
async function readAll(log: EmbeddedLog): Promise<Found> {
  const { first, next } = await log.bounds('points', 0);
  const values = new Map<number, Buffer>();
  let lost = 0;
  for (let offset = first; offset < next; ) {
    try {
      const records = await log.read('points', 0, offset, { maxBytes: 200, waitMs: 0 });
      expect(records.length).toBeGreaterThan(0);
      for (const record of records) {
        expect(record.offset).toBe(offset++);
        values.set(record.offset, Buffer.from(record.value));
      }
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
      const resumeAt = Number(error.detail.resumeAt);
      expect(resumeAt).toBeGreaterThan(offset);
      expect(resumeAt).toBeLessThanOrEqual(next);
      lost += resumeAt - offset;
      offset = resumeAt;
    }
  }
  return { values, lost, next, ranges: log.lost };
}

/**
 * Opens the damaged files, appends, and opens them again: every acknowledged record is there or reported as lost, and no
 * offset is given to a second record. Returns what was found first.
 */
async function check(files: ReadonlyMap<string, Uint8Array>, acked: readonly Buffer[]): Promise<Found> {
  const disk = diskOf(files);
  const log = await open(disk, 11);
  const found = await readAll(log);
  expect(found.next).toBeGreaterThanOrEqual(acked.length);
  for (const [offset, value] of found.values) expect(value).toEqual(acked[offset]);
  const { offset } = await (await log.writer('points', 0)).append(0, Buffer.from('new'));
  expect(offset).toBe(found.next);
  await log.close();
  const again = await open(disk, 12);
  const after = await readAll(again);
  expect(after.next).toBe(offset + 1);
  expect(after.lost).toBe(found.lost);
  expect(after.ranges).toEqual([]);
  expect(after.values.get(offset)).toEqual(Buffer.from('new'));
  expect(after.values.size).toBe(found.values.size + 1);
  await again.close();
  return found;
}

function changed(files: ReadonlyMap<string, Uint8Array>, path: string, bytes: Uint8Array): Map<string, Uint8Array> {
  return new Map(files).set(path, bytes);
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[bit >> 3] ^= 1 << (bit & 7);
  return out;
}

/** Many times the usual time, for a machine that has other work: it only ends a test that hangs. */
const TEST_MS = 300_000;
const seed = testSeed();

describe.each<Ending>(['close', 'kill', 'power loss'])(`damage after a %s (TIDEMARK_TEST_SEED=${seed})`, (ending) => {
  test(
    'any flipped bit of the last records costs at most the record that it is in',
    async () => {
      const { files, acked, path } = await stopped(seed, ending);
      const bytes = files.get(path) ?? new Uint8Array(0);
      const step = ending === 'close' ? 1 : 5;
      const tail = acked.slice(-LAST_RECORDS).reduce((sum, value) => sum + HEADER_BYTES + value.length, 0);
      for (let bit = 8 * (bytes.length - tail); bit < 8 * bytes.length; bit += step) {
        const found = await check(changed(files, path, flipped(bytes, bit)), acked);
        expect(acked.length - [...found.values.keys()].length).toBe(1);
      }
    },
    TEST_MS,
  );

  test(
    'any flipped bit of a head of a segment, and of the sync marks, costs no record',
    async () => {
      const { files, acked, path } = await stopped(seed, ending);
      const bytes = files.get(path) ?? new Uint8Array(0);
      const headBytes = Buffer.from(bytes).readUInt32LE(12);
      const marks = files.get(MARKS) ?? new Uint8Array(0);
      for (let bit = 0; bit < 8 * headBytes; bit += 3) {
        expect((await check(changed(files, path, flipped(bytes, bit)), acked)).lost).toBe(0);
      }
      for (let bit = 0; bit < 8 * marks.length; bit += 11) {
        expect((await check(changed(files, MARKS, flipped(marks, bit)), acked)).lost).toBe(0);
      }
    },
    TEST_MS,
  );

  test(
    'one flipped bit anywhere costs at most one record, which is reported',
    async () => {
      const random = new SeededRandom(seed);
      for (let run = 0; run < 60; run++) {
        const { files, acked } = await stopped((seed + run) >>> 0, ending, 400);
        const paths = [...files.keys()].filter((name) => name !== 'FORMAT');
        const path = paths[below(random, paths.length)];
        const bytes = files.get(path) ?? new Uint8Array(0);
        const damaged = flipped(bytes, below(random, 8 * bytes.length));
        const { lost, values } = await check(changed(files, path, damaged), acked);
        const missing = acked.length - values.size;
        expect(missing).toBeLessThanOrEqual(1);
        // A group without a mark, as a power loss leaves it, may have had more records than can be read of it.
        if (ending === 'power loss') expect(lost).toBeGreaterThanOrEqual(missing);
        else expect(lost).toBe(missing);
      }
    },
    TEST_MS,
  );
});

describe(`damage in values with runs of zeros (TIDEMARK_TEST_SEED=${seed})`, () => {
  test.each<Ending>(['close', 'kill'])(
    'after a %s any flipped bit of the last records costs only its record',
    async (ending) => {
      const { files, acked, path } = await stopped(seed, ending, undefined, withZeros);
      const bytes = files.get(path) ?? new Uint8Array(0);
      const tail = acked.slice(-LAST_RECORDS).reduce((sum, value) => sum + HEADER_BYTES + value.length, 0);
      for (let bit = 8 * (bytes.length - tail); bit < 8 * bytes.length; bit += 11) {
        const { values, lost } = await check(changed(files, path, flipped(bytes, bit)), acked);
        expect([values.size, lost]).toEqual([acked.length - 1, 1]);
      }
    },
    TEST_MS,
  );

  test('without sync marks a damaged last record is taken for a torn write, and an undamaged one is kept', async () => {
    const { files, acked, path } = await stopped(seed, 'close', undefined, withZeros);
    const bytes = files.get(path) ?? new Uint8Array(0);
    const unmarked = new Map([...files].filter(([name]) => name !== MARKS));
    const intact = await check(unmarked, acked);
    expect([intact.values.size, intact.lost]).toEqual([acked.length, 0]);
    const lastValue = acked[acked.length - 1].length;
    const log = await open(diskOf(changed(unmarked, path, flipped(bytes, 8 * (bytes.length - lastValue)))), 11);
    const found = await readAll(log);
    expect([found.next, found.values.size, found.lost]).toEqual([acked.length - 1, acked.length - 1, 0]);
    await log.close();
  });
});

describe.each<Ending>(['close', 'kill'])(`a file that is cut after a %s (TIDEMARK_TEST_SEED=${seed})`, (ending) => {
  test(
    'the last segment may end at any byte: the records behind are reported as lost',
    async () => {
      const { files, acked, path } = await stopped(seed, ending);
      const bytes = files.get(path) ?? new Uint8Array(0);
      for (let size = 0; size < bytes.length; size += ending === 'close' ? 1 : 3) {
        const found = await check(changed(files, path, bytes.subarray(0, size)), acked);
        expect(found.next).toBe(acked.length);
        expect(found.values.size + found.lost).toBe(acked.length);
        const from = acked.length - found.lost;
        expect(found.ranges).toEqual([{ topic: 'points', partition: 0, from, to: acked.length }]);
      }
    },
    TEST_MS,
  );

  test('the first segment may be gone: its records were not trimmed, and are reported as lost', async () => {
    const { files, acked } = await stopped(seed, ending, 400);
    const [first, second] = [...files.keys()].filter((name) => name.endsWith('.segment')).sort();
    const found = await check(new Map([...files].filter(([name]) => name !== first)), acked);
    const to = Number(/(\d+)\.segment$/.exec(second)?.[1]);
    expect([found.lost, found.ranges]).toEqual([to, [{ topic: 'points', partition: 0, from: 0, to }]]);
  });

  test('the last segment may be gone', async () => {
    const { files, acked, path } = await stopped(seed, ending, 400);
    const log = await open(diskOf(new Map([...files].filter(([name]) => name !== path))), 11);
    const from = Number(/(\d+)\.segment$/.exec(path)?.[1]);
    expect(log.lost).toEqual([{ topic: 'points', partition: 0, from, to: acked.length }]);
    await log.close();
  });

  test(
    'the sync marks may end at any byte',
    async () => {
      const { files, acked } = await stopped(seed, ending);
      const marks = files.get(MARKS) ?? new Uint8Array(0);
      for (let size = 0; size < marks.length; size += 7) {
        expect((await check(changed(files, MARKS, marks.subarray(0, size)), acked)).lost).toBe(0);
      }
    },
    TEST_MS,
  );

  test('every segment may be gone', async () => {
    const { files, acked } = await stopped(seed, ending, 400);
    const rest = new Map([...files].filter(([path]) => !path.endsWith('.segment')));
    const log = await open(diskOf(rest), 11);
    expect(await readAll(log)).toMatchObject({ lost: acked.length, next: acked.length });
    expect(log.lost).toEqual([{ topic: 'points', partition: 0, from: 0, to: acked.length }]);
    await log.close();
  });
});

test.each<Ending>(['close', 'kill', 'power loss'])('a trim before a %s is not taken for a loss', async (ending) => {
  for (let run = 0; run < 20; run++) {
    const { files, acked } = await stopped((seed + run) >>> 0, 'close', 400);
    const disk = diskOf(files);
    const log = await open(disk, 5, 400);
    await log.trim('points', 0, acked.length);
    const { first } = await log.bounds('points', 0);
    expect(first).toBeGreaterThan(0);
    if (ending === 'close') await log.close();
    else disk.reboot(ending === 'power loss');
    const again = await open(disk, 6, 400);
    expect([(await again.bounds('points', 0)).first, again.lost]).toEqual([first, []]);
    await again.close();
  }
});

test('a torn write behind the last synced group leaves no gap', async () => {
  for (let run = 0; run < 40; run++) {
    const { files, acked } = await stopped((seed + run) >>> 0, 'close');
    const disk = diskOf(files);
    const log = await open(disk, 5);
    const random = new SeededRandom((seed + run) >>> 0);
    const writer = await log.writer('points', 0);
    // The machine loses power after the write and before the fsync.
    disk.stopAfter(1);
    await expect(writer.append(0, random.bytes(below(random, 2000)))).rejects.toMatchObject({ code: 'unavailable' });
    disk.reboot(true);
    const again = await open(disk, 6);
    const found = await readAll(again);
    expect(found.lost).toBe(0);
    expect(found.next - acked.length).toBeLessThanOrEqual(1);
    await again.close();
  }
});
