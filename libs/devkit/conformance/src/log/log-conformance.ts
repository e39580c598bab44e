import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Log, LogWriter } from '@tidemark/ports';
import { type LogCluster, type MakeCluster, nameOf, readAll, TOPIC, valueNamed } from './cluster.ts';
import { logUnderFaults } from './log-under-faults.ts';

export interface LogConformanceOptions {
  /** A value size that the log under test refuses, bytes. */
  readonly tooLargeBytes: number;
  /** Number of records of 1,000 bytes that fill more than one trimmable unit; 0 skips the check of the freed space. */
  readonly trimRecords: number;
}

const LONG_WAIT_MS = 10_000;
const NOW = { maxBytes: 2 ** 20, waitMs: 0 };

/**
 * Registers the cases that every adapter of the log port must pass, and the cases of the same log behind injected
 * faults. Each case gets a cluster of its own.
 */
export function logConformance(name: string, makeCluster: MakeCluster, options: LogConformanceOptions): void {
  describe(`log conformance: ${name}`, () => {
    let cluster: LogCluster;
    let log: Log;

    beforeEach(async () => {
      cluster = await makeCluster();
      log = cluster.log;
    });
    afterEach(() => cluster.close());

    async function appendMany(writer: LogWriter, count: number, sizeBytes = 16): Promise<void> {
      for (let sequence = 0; sequence < count; sequence++)
        await writer.append(sequence, valueNamed(0, sequence, sizeBytes));
    }

    test('gives dense offsets from 0, and keeps order and bytes', async () => {
      const writer = await log.writer(TOPIC, 0);
      for (let sequence = 0; sequence < 20; sequence++) {
        expect((await writer.append(sequence, valueNamed(0, sequence, 16 + sequence * 100))).offset).toBe(sequence);
      }
      const records = await readAll(log, 0);
      expect(records.map((record) => record.offset)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      records.forEach((record, i) => {
        expect(Buffer.compare(record.value, valueNamed(0, i, 16 + i * 100))).toBe(0);
      });
    });

    test('stores an empty value', async () => {
      await (await log.writer(TOPIC, 0)).append(0, new Uint8Array(0));
      expect((await readAll(log, 0)).map((record) => record.value.length)).toEqual([0]);
    });

    test('answers a repeat with the first offset, and stores nothing', async () => {
      const writer = await log.writer(TOPIC, 0);
      const first = await writer.append(0, valueNamed(0, 0));
      expect(await writer.append(0, valueNamed(0, 0))).toEqual(first);
      expect((await writer.append(1, valueNamed(0, 1))).offset).toBe(1);
      expect((await writer.append(1, valueNamed(0, 1))).offset).toBe(1);
      expect(await log.bounds(TOPIC, 0)).toMatchObject({ first: 0, next: 2 });
    });

    test('answers a repeat after a restart with the first offset', async () => {
      const writer = await log.writer(TOPIC, 0);
      await appendMany(writer, 3);
      const restarted = await cluster.restart();
      const resumed = (await cluster.resume?.(restarted, writer)) ?? writer;
      expect((await resumed.append(2, valueNamed(0, 2))).offset).toBe(2);
      expect((await resumed.append(3, valueNamed(0, 3))).offset).toBe(3);
      expect(await restarted.bounds(TOPIC, 0)).toMatchObject({ first: 0, next: 4 });
    });

    test('refuses a gap of the sequence, and accepts the next record', async () => {
      const writer = await log.writer(TOPIC, 0);
      await appendMany(writer, 1);
      await expect(writer.append(2, valueNamed(0, 2))).rejects.toMatchObject({ code: 'failed_precondition' });
      expect((await log.bounds(TOPIC, 0)).next).toBe(1);
    });

    test('refuses a sequence far in the past', async () => {
      const writer = await log.writer(TOPIC, 0);
      await appendMany(writer, 3);
      await expect(writer.append(0, valueNamed(0, 0))).rejects.toMatchObject({ code: 'failed_precondition' });
      expect((await log.bounds(TOPIC, 0)).next).toBe(3);
    });

    test('refuses another value under the last sequence', async () => {
      const writer = await log.writer(TOPIC, 0);
      await appendMany(writer, 1);
      await expect(writer.append(0, valueNamed(9, 9))).rejects.toMatchObject({ code: 'failed_precondition' });
      expect((await log.bounds(TOPIC, 0)).next).toBe(1);
    });

    test('keeps partitions apart', async () => {
      await appendMany(await log.writer(TOPIC, 0), 2);
      await appendMany(await log.writer(TOPIC, 1), 1);
      expect((await log.bounds(TOPIC, 0)).next).toBe(2);
      expect((await log.bounds(TOPIC, 1)).next).toBe(1);
    });

    test('keeps the order of each of many writers at once', async () => {
      const writers = await Promise.all(Array.from({ length: 8 }, () => log.writer(TOPIC, 0)));
      await Promise.all(
        writers.map(async (writer, w) => {
          for (let sequence = 0; sequence < 25; sequence++) await writer.append(sequence, valueNamed(w, sequence));
        }),
      );
      const next = writers.map(() => 0);
      for (const record of await readAll(log, 0)) {
        const { writer, sequence } = nameOf(record.value);
        expect(sequence).toBe(next[writer]++);
      }
      expect(next).toEqual(writers.map(() => 25));
    });

    test('a read waits, and an append wakes it', async () => {
      const read = log.read(TOPIC, 0, 0, { maxBytes: 1000, waitMs: LONG_WAIT_MS });
      await (await log.writer(TOPIC, 0)).append(0, valueNamed(0, 0));
      expect((await read).map((record) => record.offset)).toEqual([0]);
    });

    test('a read that may not wait answers with nothing', async () => {
      expect(await log.read(TOPIC, 0, 0, NOW)).toEqual([]);
    });

    test('a read that waited without an append answers with nothing', async () => {
      expect(await log.read(TOPIC, 0, 0, { maxBytes: 1000, waitMs: 5 })).toEqual([]);
    });

    test('a cancelled read ends at once, with nothing', async () => {
      const abort = new AbortController();
      const read = log.read(TOPIC, 0, 0, { maxBytes: 1000, waitMs: LONG_WAIT_MS, signal: abort.signal });
      const startMs = performance.now();
      abort.abort();
      expect(await read).toEqual([]);
      expect(performance.now() - startMs).toBeLessThan(LONG_WAIT_MS / 2);
    });

    test('a read stops at maxBytes, and returns at least one record', async () => {
      await appendMany(await log.writer(TOPIC, 0), 10, 100);
      const some = await log.read(TOPIC, 0, 0, { maxBytes: 350, waitMs: 0 });
      expect(some.length).toBeGreaterThanOrEqual(1);
      expect(some.length).toBeLessThanOrEqual(3);
      expect(await log.read(TOPIC, 0, 4, { maxBytes: 1, waitMs: 0 })).toHaveLength(1);
    });

    test('a read beyond the end is out of range', async () => {
      await appendMany(await log.writer(TOPIC, 0), 2);
      await expect(log.read(TOPIC, 0, 3, NOW)).rejects.toMatchObject({ code: 'out_of_range' });
      expect(await log.read(TOPIC, 0, 2, NOW)).toEqual([]);
    });

    test('keeps the records that were not trimmed, and their offsets', async () => {
      const count = Math.max(10, options.trimRecords);
      await appendMany(await log.writer(TOPIC, 0), count, 1000);
      const before = count - 2;
      await log.trim(TOPIC, 0, before);
      const { first, next } = await log.bounds(TOPIC, 0);
      expect(next).toBe(count);
      expect(first).toBeLessThanOrEqual(before);
      if (options.trimRecords > 0) {
        expect(first).toBeGreaterThan(0);
        await expect(log.read(TOPIC, 0, first - 1, NOW)).rejects.toMatchObject({ code: 'out_of_range' });
      }
      expect((await readAll(log, 0, first)).map((record) => record.offset)).toEqual(
        Array.from({ length: count - first }, (_, i) => first + i),
      );
      const restarted = await cluster.restart();
      expect(await restarted.bounds(TOPIC, 0)).toMatchObject({ first, next });
    });

    test('refuses a record that is too large, and accepts the next one', async () => {
      const writer = await log.writer(TOPIC, 0);
      await expect(writer.append(0, new Uint8Array(options.tooLargeBytes))).rejects.toMatchObject({
        code: 'invalid_argument',
      });
      expect((await writer.append(0, valueNamed(0, 0))).offset).toBe(0);
    });

    test('append times follow the clock of the log, and are equal for writer and reader', async () => {
      const writer = await log.writer(TOPIC, 0);
      const times: number[] = [];
      for (let sequence = 0; sequence < 10; sequence++) {
        times.push((await writer.append(sequence, valueNamed(0, sequence))).appendTimeMs);
      }
      const restarted = await cluster.restart();
      const other = await restarted.writer(TOPIC, 0);
      times.push((await other.append(0, valueNamed(1, 0))).appendTimeMs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect((await readAll(restarted, 0)).map((record) => record.appendTimeMs)).toEqual(times);
    });

    test('many readers see the same records while they are appended', async () => {
      const total = 60;
      const readers = Array.from({ length: 4 }, async () => {
        const seen: number[] = [];
        while (seen.length < total) {
          const records = await log.read(TOPIC, 0, seen.length, { maxBytes: 500, waitMs: LONG_WAIT_MS });
          for (const record of records) seen.push(nameOf(record.value).sequence);
        }
        return seen;
      });
      await appendMany(await log.writer(TOPIC, 0), total);
      for (const seen of await Promise.all(readers)) expect(seen).toEqual(Array.from({ length: total }, (_, i) => i));
    });

    test('acknowledged records are stored after a restart, and after a crash', async () => {
      await appendMany(await log.writer(TOPIC, 0), 30, 300);
      const before = await readAll(log, 0);
      const restarted = await cluster.restart();
      expect(await readAll(restarted, 0)).toEqual(before);
      await appendMany(await restarted.writer(TOPIC, 0), 5);
      const crashed = await (cluster.crash?.() ?? cluster.restart());
      const after = await readAll(crashed, 0);
      expect(after.slice(0, 30)).toEqual(before);
      expect(after).toHaveLength(35);
    });

    test('a partition that does not exist is not found', async () => {
      await expect(log.writer(TOPIC, 9999)).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  logUnderFaults(name, makeCluster);
}
