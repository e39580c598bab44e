import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { crc32c, fromHex, toHex } from '@tidemark/bytes';
import { testSeed } from '@tidemark/conformance';
import { SystemClock } from '@tidemark/node-runtime';
import { below, isTidemarkError, type Random } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { type EmbeddedLog, openEmbeddedLog } from './index.ts';
import { decodeSegmentHeader, encodeSegmentHeader } from './segment-format.ts';

const golden: Record<string, string> = JSON.parse(
  await readFile(new URL('./format.golden.json', import.meta.url), 'utf8'),
);
const clock = { ...new SystemClock(), wallMs: () => 1_700_000_000_123, monotonicMs: () => 0, setTimer: setNoTimer };
function setNoTimer() {
  return { cancel() {} };
}

function newDisk(): CrashDisk {
  return new CrashDisk(new SeededRandom(1), { failedWrite: 0, failedSync: 0 });
}

function open(disk: CrashDisk, random: Random = new SeededRandom(7)): Promise<EmbeddedLog> {
  const limits = { segmentBytes: 400, tailCacheBytes: 0 };
  return openEmbeddedLog({ disk, clock, random, partitions: { points: 1 }, limits });
}

/**
 * Randomness that gives the values of the golden files: the generation and the salts, the ids of the partition and of each
 * writer.
 */
function goldenRandom(): Random {
  const salts = [1_234_567_890, 3_838_393_609, 2_826_919_057];
  const ids = [
    '1d0c2b3a4f5e6d7c8b9aa0b1c2d3e4f5',
    'fa2f6261da356bf724b2b9265dcf464c',
    'bc27280471dc97bfc51f6e064447eed4',
  ];
  return {
    next: () => (salts.shift() ?? 0) / 2 ** 32,
    bytes: () => fromHex(ids.shift() ?? ''),
  };
}

/** A small log of three segments, equal in each run. */
async function goldenLog(): Promise<CrashDisk> {
  const disk = newDisk();
  const log = await open(disk, goldenRandom());
  const writers = [await log.writer('points', 0), await log.writer('points', 0)];
  for (let sequence = 0; sequence < 5; sequence++) {
    await Promise.all(writers.map((writer, w) => writer.append(sequence, Buffer.from(`value ${w} ${sequence}`))));
  }
  await log.close();
  return disk;
}

describe('format 4', () => {
  test('writing gives the golden bytes', async () => {
    const disk = await goldenLog();
    const files = Object.fromEntries(disk.paths().map((path) => [path, toHex(disk.bytesOf(path))]));
    expect(files).toEqual(golden);
  });

  test('the golden bytes read as their records', async () => {
    const disk = newDisk();
    for (const [path, hex] of Object.entries(golden)) disk.put(path, fromHex(hex));
    const log = await open(disk);
    const values: string[] = [];
    const { next } = await log.bounds('points', 0);
    while (values.length < next) {
      for (const { value } of await log.read('points', 0, values.length, { maxBytes: 1000, waitMs: 0 })) {
        values.push(Buffer.from(value).toString());
      }
    }
    expect(values).toEqual(Array.from({ length: 10 }, (_, i) => `value ${i % 2} ${Math.floor(i / 2)}`));
    await log.close();
  });
});

const seed = testSeed();

test(`damaged segments give data_loss or the right value, never another (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const random = new SeededRandom(seed);
  const whole = await goldenLog();
  const paths = whole.paths().filter((path) => path.endsWith('.segment'));
  let lost = 0;
  for (let run = 0; run < 300; run++) {
    const disk = newDisk();
    for (const path of whole.paths()) disk.put(path, whole.bytesOf(path));
    damage(disk, paths[below(random, paths.length)], random);
    let log: EmbeddedLog;
    try {
      log = await open(disk);
    } catch (error) {
      expect(['data_loss', 'failed_precondition']).toContain(isTidemarkError(error) ? error.code : error);
      lost++;
      continue;
    }
    lost += await readThrough(log);
    await log.close();
  }
  expect(lost).toBeGreaterThan(100);
});

/** Reads from the start, past every loss; returns how many offsets were lost. */
async function readThrough(log: EmbeddedLog): Promise<number> {
  let lost = 0;
  for (let offset = 0; offset < 10; ) {
    try {
      const records = await log.read('points', 0, offset, { maxBytes: 1 + offset * 10, waitMs: 0 });
      if (records.length === 0) return lost + 10 - offset;
      for (const record of records) {
        expect(record.offset).toBe(offset);
        expect(Buffer.from(record.value).toString()).toBe(`value ${offset % 2} ${Math.floor(offset / 2)}`);
        offset++;
      }
    } catch (error) {
      if (isTidemarkError(error, 'out_of_range')) return lost + 10 - offset;
      if (!isTidemarkError(error, 'data_loss')) throw error;
      lost++;
      offset++;
    }
  }
  return lost;
}

function damage(disk: CrashDisk, path: string, random: SeededRandom): void {
  let bytes = Buffer.from(disk.bytesOf(path));
  for (let changes = 1 + below(random, 3); changes > 0; changes--) {
    const at = below(random, bytes.length);
    const kind = below(random, 5);
    if (kind === 0) bytes[at] ^= 1 << below(random, 8);
    else if (kind === 1) bytes.set(random.bytes(Math.min(8, bytes.length - at)), at);
    else if (kind === 2) bytes = bytes.subarray(0, Math.max(1, at));
    else if (kind === 3) bytes.fill(0, at, Math.min(bytes.length, at + below(random, 200)));
    else bytes.copyWithin(at, below(random, bytes.length), bytes.length);
  }
  disk.put(path, bytes);
}

test('hostile headers of a segment give errors of the port', () => {
  const random = new SeededRandom(seed);
  const state = { producer: random.bytes(16), sequence: 1, offset: 2, appendTimeMs: 3, valueCrc: 4, valueBytes: 5 };
  const header = { topic: 'points', partition: 3, id: random.bytes(16), base: 2 ** 40, salt: 9, producers: [state] };
  const bytes = encodeSegmentHeader(header);
  expect(decodeSegmentHeader(bytes, 'f')).toEqual(header);
  for (let run = 0; run < 2000; run++) {
    const hostile = Buffer.from(bytes.subarray(0, run % 3 === 0 ? below(random, bytes.length + 1) : bytes.length));
    if (hostile.length > 0) hostile[below(random, hostile.length)] = below(random, 256);
    // A right checksum over wrong content, as a hostile writer would make.
    if (run % 2 === 0 && hostile.length > 20) {
      hostile.writeUInt32LE(hostile.length, 12);
      hostile.writeUInt32LE(crc32c(hostile.subarray(0, -4)), hostile.length - 4);
    }
    try {
      decodeSegmentHeader(hostile, 'f');
    } catch (error) {
      expect(['data_loss', 'failed_precondition']).toContain(isTidemarkError(error) ? error.code : error);
    }
  }
});
