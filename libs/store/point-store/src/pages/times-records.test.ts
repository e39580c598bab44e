import { describe, expect, it, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition, type PointStoreLimits } from '../index.ts';
import { PREFIX } from '../keys.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';
import { storedTimes } from '../testing/stored-times.ts';

const BUCKET_MS = 100_000;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 20_000, bucketMs: BUCKET_MS };
const HOSTS = 8;
/** Readings of three metrics; each host has one series of each. */
const METRICS = [0, 1, 2];
const seriesOf = (host: number, metric: number) => 4 * host + metric;
const scrapeMs = (host: number, round: number) => 1000 * round + 5 * host + ((round * 37 + host) % 11);

interface Scraping {
  /** Of some scrapes a tenth of the hosts is late by so many rounds, of a second each. */
  readonly lateRounds?: number;
  readonly hosts?: number;
  /** Rounds from one scrape to the next. */
  readonly step?: number;
  /** Each third scrape is of another map epoch. */
  readonly hasEpochs?: boolean;
}

/** Scrapes of all hosts, with jitter. */
function scrapes(rounds: number, { lateRounds = 0, hosts = HOSTS, step = 1, hasEpochs = false }: Scraping = {}) {
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, 0);
  for (let round = 0; round < rounds; round += step) {
    const scrape = round / step;
    const points = Array.from({ length: hosts }, (_, host) => {
      const isLate = lateRounds > 0 && (scrape + host) % 10 === 0;
      const own = isLate ? round - lateRounds : round;
      const timeMs = scrapeMs(host, own) + (isLate ? 500 : 0);
      if (own < 0) return [];
      return METRICS.map((metric) => ({ series: seriesOf(host, metric), timeMs, value: own + metric }));
    });
    const mapEpoch = hasEpochs && scrape % 3 === 0 ? 2 : 1;
    builder.block(0, 1000 * round, [{ client: 0, sequence: scrape, mapEpoch, points: points.flat() }]);
  }
  return builder.records;
}

async function open(keyValue: MemoryKeyValue, change: Partial<PointStoreLimits> = {}): Promise<PointPartition> {
  const limits = { ...LIMITS, ...change };
  return PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 3000 });
}

async function read(
  records: readonly LogRecord[],
  keyValue = new MemoryKeyValue(),
  change: Partial<PointStoreLimits> = {},
) {
  const partition = await open(keyValue, change);
  for (const record of records.slice(partition.nextOffset)) {
    partition.apply(record);
    if (partition.wantsCommit) await partition.commit();
  }
  await partition.commit();
  await partition.whenClosed();
  return { partition, keyValue };
}

async function answers(partition: PointPartition, fromMs = 0, toMs = 3 * BUCKET_MS, hosts = HOSTS) {
  const range = { fromMs, toMs, stepMs: 10_000 };
  const all = METRICS.map((metric) => {
    const series = Array.from({ length: hosts }, (_, host) => seriesOf(host, metric));
    return valuesOf(partition, requestOf(series, range, metric === 1 ? 'sum' : 'last'));
  });
  return (await Promise.all(all)).map(({ values }) => values);
}

const bytesOf = ({ content }: MemoryKeyValue, prefix: number) =>
  [...content].reduce((sum, [key, value]) => sum + (key.startsWith(prefix.toString(16)) ? value.length : 0), 0);

describe('times that series of several metrics share', () => {
  test('are stored once a commit, and read again after a restart', async () => {
    const { partition, keyValue } = await read(scrapes(60));
    const { there, needed } = storedTimes(keyValue);
    expect(there).toHaveLength(3);
    expect(there).toEqual(needed);
    const all = await answers(partition);
    expect(all[0][0].slice(0, 6)).toEqual([9, 19, 29, 39, 49, 59]);
    expect(await answers(await open(keyValue))).toEqual(all);
    // Neither RAM nor a cache of pages.
    expect(await answers(await open(keyValue, { recentBytes: 0 }))).toEqual(all);
  });

  test.each([0, 4])('are stored once in merged pages, with %i rounds late, and others are deleted', async (late) => {
    const records = scrapes(130, { lateRounds: late });
    const { partition, keyValue } = await read(records);
    expect(partition.status.stateHashes).toHaveLength(1);
    const { there, needed } = storedTimes(keyValue);
    expect(there).toEqual(needed);
    // One of the closed bucket, and one of each commit since.
    expect(there.filter((one) => one.startsWith('0/'))).toHaveLength(1);
    const times = bytesOf(keyValue, PREFIX.times);
    // The times of a host take 8 to 10 bits each: of three metrics they would take three times as many.
    expect(times).toBeLessThan(HOSTS * 130 * 1.7);
    const all = await answers(partition);
    expect(await answers(await open(keyValue, { recentBytes: 0 }))).toEqual(all);
    const inOne = await read(records.slice(0, -1), new MemoryKeyValue(), { recentBytes: 0 });
    inOne.partition.apply(records[records.length - 1]);
    await inOne.partition.commit();
    expect(await inOne.partition.stateHash()).toBe(await partition.stateHash());
    expect(await answers(inOne.partition)).toEqual(all);
  });

  test('are stored once where they are regular, too, if there are many', async () => {
    for (const hosts of [15, 16, 40]) {
      const builder = new LogBuilder();
      builder.bare(RECORD.open, 0, 0);
      for (let round = 0; round < 60; round++) {
        const points = Array.from({ length: hosts }, (_, host) =>
          METRICS.map((metric) => ({ series: seriesOf(host, metric), timeMs: 1000 * round + 13 * host, value: round })),
        );
        builder.block(0, 1000 * round, [{ client: 0, sequence: round, points: points.flat() }]);
      }
      const { partition, keyValue } = await read(builder.records);
      const { there, needed } = storedTimes(keyValue);
      expect(there).toEqual(needed);
      expect([hosts, there.length]).toEqual([hosts, hosts < 16 ? 0 : 3]);
      expect(await answers(await open(keyValue, { recentBytes: 0 }))).toEqual(await answers(partition));
    }
  });

  test('stay with the pages that a close leaves as they are', async () => {
    const { partition, keyValue } = await read(scrapes(170), new MemoryKeyValue(), { commitStepMs: 50_000 });
    expect(partition.status.stateHashes).toHaveLength(1);
    const { there, needed } = storedTimes(keyValue);
    expect(there).toEqual(needed);
    // Two commits of the closed bucket, whose pages are long enough.
    expect(there.filter((one) => one.startsWith('0/'))).toHaveLength(2);
    expect(await answers(await open(keyValue, { recentBytes: 0, commitStepMs: 50_000 }))).toEqual(
      await answers(partition),
    );
  });

  test('are in memory once for all pages that need them, and not after these', async () => {
    const { partition, keyValue } = await read(scrapes(60));
    const part = (one: PointPartition, name: string) =>
      one.status.memory.find((entry) => entry.part === name)?.bytes ?? Number.NaN;
    const times = bytesOf(keyValue, PREFIX.times);
    const pages = bytesOf(keyValue, PREFIX.page);
    expect(part(partition, 'recent_pages')).toBeGreaterThan(times + pages);
    const reopened = await open(keyValue);
    const before = part(reopened, 'cached_pages');
    await answers(reopened);
    expect(part(reopened, 'cached_pages') - before).toBeGreaterThan(times + pages);
    const evicting = await open(keyValue, { recentBytes: 0 });
    await answers(evicting);
    expect(part(evicting, 'cached_pages')).toBe(0);
  });
});

describe('a times record', () => {
  const lost = expect.objectContaining({ code: 'data_loss' });

  it.each([
    ['that is missing', (content: Map<string, Buffer>, key: string) => content.delete(key)],
    ['that is cut', (content, key) => content.set(key, (content.get(key) ?? Buffer.of()).subarray(0, -1))],
    ['that is empty', (content, key) => content.set(key, Buffer.of())],
    [
      'of another commit',
      (content, key) => {
        const others = [...content].filter(([one]) => one.startsWith('12') && one !== key);
        content.set(key, others[0][1]);
      },
    ],
  ] as [string, (content: Map<string, Buffer>, key: string) => unknown][])(
    '%s is data_loss, and other times are answered',
    async (_, spoil) => {
      const { keyValue, partition } = await read(scrapes(170));
      const late = await answers(partition, BUCKET_MS);
      const keys = [...keyValue.content.keys()].filter((key) => key.startsWith('12')).sort();
      spoil(keyValue.content, keys[0]);
      const spoilt = await open(keyValue, { recentBytes: 0 });
      await expect(answers(spoilt)).rejects.toEqual(lost);
      await expect(answers(spoilt)).rejects.toThrow(/times record \d+ of deal \d+ of the stored bucket 0/);
      await expect(spoilt.stateHash()).rejects.toEqual(lost);
      expect((await answers(spoilt, BUCKET_MS + 10_000))[0][0].at(-1)).toEqual(late[0][0].at(-1));
    },
  );
});

describe('a crash at any write', () => {
  /** More than share a page with other metrics, so that each metric has several pages. */
  const hosts = 80;

  test('leaves each page with its times', () => crashAtEach(false));

  test('leaves each page with its times, of several map epochs', () => crashAtEach(true));

  async function crashAtEach(hasEpochs: boolean): Promise<void> {
    // So late that a close merges pages of the marked commit, too.
    const records = scrapes(130, { lateRounds: 12, hosts, step: 4, hasEpochs });
    const calm = await read(records);
    const all = await answers(calm.partition, 0, 3 * BUCKET_MS, hosts);
    for (let failing = 0; failing < calm.keyValue.batchBytes.length; failing++) {
      for (const failsLate of [false, true]) {
        const content = await crashed(records, failing, failsLate);
        const keyValue = new MemoryKeyValue(content);
        const again = await read(records, keyValue);
        expect(again.partition.status.stateHashes).toEqual(calm.partition.status.stateHashes);
        expect(await again.partition.stateHash()).toBe(await calm.partition.stateHash());
        expect(await answers(again.partition, 0, 3 * BUCKET_MS, hosts)).toEqual(all);
        const { there, needed } = storedTimes(keyValue);
        expect({ failing, failsLate, there }).toEqual({ failing, failsLate, there: needed });
      }
    }
  }

  /** What is stored after a crash at that write, of a commit or a close. */
  async function crashed(records: readonly LogRecord[], failing: number, failsLate: boolean) {
    const keyValue = new MemoryKeyValue();
    const write = keyValue.write.bind(keyValue);
    let writes = 0;
    keyValue.write = (batch) => {
      if (writes++ >= failing) Object.assign(keyValue, { failingWrites: 1, failsLate });
      return write(batch);
    };
    try {
      const partition = await open(keyValue);
      for (const record of records) {
        partition.apply(record);
        if (partition.wantsCommit) await partition.commit();
        if (partition.isClosing) await partition.whenClosed();
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'resource_exhausted' });
    }
    keyValue.crash();
    return keyValue.content;
  }
});
