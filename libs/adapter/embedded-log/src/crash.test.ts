import { afterAll, expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { SystemClock } from '@tidemark/node-runtime';
import { type Appended, below, isTidemarkError, type LogRecord, type Random } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { type EmbeddedLog, type EmbeddedLogReader, openEmbeddedLog, openEmbeddedLogReader } from './index.ts';

const RUNS = 20;
const LIVES = 5;
const WRITERS = 4;
const OPTIONS = { partitions: { points: 2 }, limits: { segmentBytes: 900, groupBytes: 500, tailCacheBytes: 400 } };
const clock = new SystemClock();
const fired: Record<string, number> = {};

interface Producer {
  readonly index: number;
  readonly partition: number;
  id: Uint8Array | undefined;
  sequence: number;
  /** The sequence that may or may not be stored. */
  unknown: number;
  readonly acked: Appended[];
}

function valueFor(producer: Producer, sequence: number): Uint8Array {
  const value = Buffer.alloc(16 + ((producer.index * 37 + sequence * 11) % 150), producer.index * 16 + (sequence % 16));
  value.writeUInt32LE(producer.index, 0);
  value.writeUInt32LE(sequence, 4);
  return value;
}

/** One history: writers, faults, crashes, kills and closes; checked after each restart. */
class History {
  readonly random: Random;
  readonly disk: CrashDisk;
  readonly producers: Producer[];
  /** The records that readers have seen; they may never change. */
  readonly shown = [new Map<number, Buffer>(), new Map<number, Buffer>()];
  readonly first = [0, 0];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const faults = seed % 3 === 0 ? { failedWrite: 0, failedSync: 0 } : { failedWrite: 0.03, failedSync: 0.05 };
    this.disk = new CrashDisk(this.random, faults);
    this.producers = Array.from({ length: WRITERS }, (_, index) => ({
      index,
      partition: index % 2,
      id: undefined,
      sequence: 0,
      unknown: -1,
      acked: [],
    }));
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      const log = await this.open();
      await this.check(log);
      const reader = await openEmbeddedLogReader({ ...OPTIONS, disk: this.disk, clock });
      log.onAppend((...progress) => reader.advance(...progress));
      if (this.random.next() < 0.7) this.disk.stopAfter(below(this.random, 250));
      await Promise.all([
        ...this.producers.map((producer) => this.write(log, producer)),
        this.watch(reader),
        this.disturb(log),
      ]);
      const end = this.random.next();
      if (end < 0.3) await log.close().catch(() => undefined);
      this.disk.full = false;
      this.disk.reboot(end > 0.5);
      await reader.close().catch(() => undefined);
    }
    const log = await this.open();
    await this.check(log);
    await log.close();
  }

  /** Opens the log, and retries while the disk fails. */
  async open(): Promise<EmbeddedLog> {
    while (true) {
      try {
        return await openEmbeddedLog({ ...OPTIONS, disk: this.disk, clock, random: this.random });
      } catch (error) {
        expect(isTidemarkError(error, 'unavailable')).toBe(true);
        this.disk.reboot(false);
      }
    }
  }

  async write(log: EmbeddedLog, producer: Producer): Promise<void> {
    const { partition } = producer;
    const writer = await (producer.id === undefined
      ? log.writer('points', partition)
      : log.resumeWriter('points', partition, producer.id));
    producer.id = writer.producer;
    let failures = 0;
    for (let appends = 10 + below(this.random, 20); appends > 0 && failures < 6; appends--) {
      const { sequence } = producer;
      try {
        producer.acked.push(await writer.append(sequence, valueFor(producer, sequence)));
        producer.sequence++;
        producer.unknown = -1;
      } catch (error) {
        if (isTidemarkError(error, 'unavailable')) producer.unknown = sequence;
        else expect(error).toMatchObject({ code: 'resource_exhausted' });
        failures++;
      }
    }
  }

  /** Fills and empties the disk, and trims. */
  async disturb(log: EmbeddedLog): Promise<void> {
    for (let i = 0; i < 6; i++) {
      for (let turn = below(this.random, 20); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
      this.disk.full = this.random.next() < 0.3;
      if (this.random.next() > 0.2) continue;
      const partition = below(this.random, 2);
      const before = below(this.random, (await log.bounds('points', partition)).next + 1);
      await log.trim('points', partition, before).catch((error) => {
        expect(isTidemarkError(error, 'unavailable')).toBe(true);
      });
      this.first[partition] = Math.max(this.first[partition], before);
    }
    this.disk.full = false;
  }

  async watch(reader: EmbeddedLogReader): Promise<void> {
    for (const partition of [0, 1]) {
      for (let turns = 0; turns < 15; turns++) {
        await new Promise((resolve) => setImmediate(resolve));
        try {
          const { first, next } = await reader.bounds('points', partition);
          const from = first + below(this.random, next - first + 1);
          for (const record of await reader.read('points', partition, from, { maxBytes: 400, waitMs: 0 })) {
            this.show(partition, record);
          }
        } catch (error) {
          expect(['unavailable', 'out_of_range']).toContain(isTidemarkError(error) ? error.code : error);
        }
      }
    }
  }

  show(partition: number, record: LogRecord): void {
    const before = this.shown[partition].get(record.offset);
    if (before === undefined) this.shown[partition].set(record.offset, Buffer.from(record.value));
    else expect(Buffer.compare(before, record.value)).toBe(0);
  }

  /** Checks that each acknowledged or shown record is there, once, in order, and that no other record is. */
  async check(log: EmbeddedLog): Promise<void> {
    for (const partition of [0, 1]) {
      const { first, next } = await log.bounds('points', partition);
      expect(first).toBeLessThanOrEqual(this.first[partition]);
      const found = new Map<number, LogRecord>();
      for (let offset = first; offset < next; ) {
        for (const record of await log.read('points', partition, offset, { maxBytes: 300, waitMs: 0 })) {
          expect(record.offset).toBe(offset++);
          found.set(record.offset, { ...record, value: Buffer.from(record.value) });
          this.show(partition, record);
        }
      }
      for (const offset of this.shown[partition].keys()) if (offset >= first) expect(found.has(offset)).toBe(true);
      for (const producer of this.producers)
        if (producer.partition === partition) this.checkProducer(producer, first, found);
      expect(found.size).toBe(0);
    }
  }

  checkProducer(producer: Producer, first: number, found: Map<number, LogRecord>): void {
    producer.acked.forEach(({ offset, appendTimeMs }, sequence) => {
      if (offset < first) return;
      const record = found.get(offset);
      expect(record?.appendTimeMs).toBe(appendTimeMs);
      expect(Buffer.compare(record?.value ?? Buffer.alloc(0), valueFor(producer, sequence))).toBe(0);
      found.delete(offset);
    });
    if (producer.unknown < 0) return;
    const wanted = valueFor(producer, producer.unknown);
    for (const [offset, record] of found) {
      if (Buffer.compare(record.value, wanted) !== 0) continue;
      found.delete(offset);
      return;
    }
  }
}

const seed = testSeed();
test(`every acknowledged record is there once, in order, after crashes, kills and failing disks (TIDEMARK_TEST_SEED=${seed})`, async () => {
  for (let run = 0; run < RUNS; run++) {
    const history = new History((seed + run) >>> 0);
    try {
      await history.run();
    } catch (error) {
      throw new Error(`TIDEMARK_TEST_SEED=${(seed + run) >>> 0} fails`, { cause: error });
    }
    for (const [fault, count] of Object.entries(history.disk.fired)) fired[fault] = (fired[fault] ?? 0) + count;
  }
});

afterAll(() => {
  for (const [fault, count] of Object.entries(fired)) expect([fault, count]).not.toEqual([fault, 0]);
});
