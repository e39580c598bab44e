import { describe, expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';

const BUCKET_MS = 10_000;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1000, bucketMs: BUCKET_MS };
const SERIES = [0, 4, 8];
/** Stored pages have keys of 27 bytes that begin with 10. */
const isPage = (key: string) => key.startsWith('10') && key.length === 54;

function open(keyValue: MemoryKeyValue): Promise<PointPartition> {
  return PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000 });
}

/** A log with a point of each series each second, and a partition that has read it up to `markMs`. */
async function played(seconds: number, markMs: number, series = SERIES) {
  const builder = new LogBuilder();
  const keyValue = new MemoryKeyValue();
  const partition = await open(keyValue);
  builder.bare(RECORD.open, 0, 0);
  for (let second = 0; second < seconds; second++) {
    const points = series.map((one) => ({ series: one, timeMs: 1000 * second, value: one + second }));
    builder.block(0, Math.min(1000 * second, markMs), [{ client: 0, sequence: second, points }]);
  }
  for (const record of builder.records) {
    partition.apply(record);
    if (partition.wantsCommit) await partition.commit();
  }
  await partition.commit();
  await partition.whenClosed();
  const pages = [...keyValue.content.keys()].filter(isPage).sort();
  return { builder, keyValue, partition, pages };
}

/** With a right checksum, as no disk makes it. */
function sealed(page: Buffer): Buffer {
  page.writeUInt32LE(crc32c(page.subarray(0, -4)), page.length - 4);
  return page;
}

async function foreignPages() {
  const many = await played(10, 0, [...SERIES, 12, 16, 20]);
  const later = await played(30, 0);
  const of = ({ keyValue, pages }: typeof many, at: number) => keyValue.content.get(pages.at(at) ?? '') ?? Buffer.of();
  return { ofOtherSeries: of(many, 0), ofOtherTimes: of(later, -1) };
}

type Spoil = (page: Buffer) => Promise<Buffer> | Buffer;
const DAMAGE: Record<string, Spoil> = {
  'cut at its end': (page) => page.subarray(0, -1),
  'cut in its middle': (page) => page.subarray(0, page.length >> 1),
  emptied: () => Buffer.of(),
  'of other bytes': (page) => Buffer.alloc(page.length, 0x5a),
  'of a newer version': (page) => sealed(Buffer.concat([Uint8Array.of(3), page.subarray(1)])),
  'of another partition': async () => (await foreignPages()).ofOtherSeries,
  'of another bucket': async () => (await foreignPages()).ofOtherTimes,
};

/** The sum of the values of each series in a bucket. */
const summed = async (partition: PointPartition, fromMs: number) => {
  const range = { fromMs, toMs: fromMs + BUCKET_MS, stepMs: BUCKET_MS };
  return (await valuesOf(partition, requestOf(SERIES, range, 'points'))).values;
};
const lost = expect.objectContaining({ code: 'data_loss' });

describe('a stored page', () => {
  test.each(Object.entries(DAMAGE))('%s is data_loss, and other pages are answered', async (_, spoil) => {
    const { keyValue, pages, builder } = await played(30, 0);
    expect(pages).toHaveLength(3);
    keyValue.content.set(pages[0], await spoil(Buffer.from(keyValue.content.get(pages[0]) ?? [])));
    const partition = await open(keyValue);
    await expect(summed(partition, 0)).rejects.toEqual(lost);
    await expect(partition.stateHash()).rejects.toEqual(lost);
    expect(await summed(partition, BUCKET_MS)).toEqual([[145], [185], [225]]);
    // New points are taken, and committed.
    const points = SERIES.map((series) => ({ series, timeMs: 30_000, value: 1 }));
    partition.apply(builder.block(0, 0, [{ client: 0, sequence: 30, points }]));
    await partition.commit();
    expect(await summed(partition, 3 * BUCKET_MS)).toEqual([[1], [1], [1]]);
    await expect(summed(partition, 0)).rejects.toEqual(lost);
  });

  test('with any one bit flipped is data_loss', async () => {
    const { keyValue, pages } = await played(10, 0);
    const whole = Buffer.from(keyValue.content.get(pages[0]) ?? []);
    const partition = await open(keyValue);
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const page = Buffer.from(whole);
      page[bit >> 3] ^= 1 << (bit & 7);
      keyValue.content.set(pages[0], page);
      await expect(summed(partition, 0)).rejects.toEqual(lost);
    }
    keyValue.content.set(pages[0], whole);
    expect(await summed(partition, 0)).toEqual([[45], [85], [125]]);
  });

  test('that is damaged when its bucket closes stops the partition until it is whole, and no hash is wrong', async () => {
    const calm = await played(30, 0);
    const { keyValue, pages, builder } = await played(30, 0);
    const whole = Buffer.from(keyValue.content.get(pages[0]) ?? []);
    keyValue.content.set(pages[0], whole.subarray(0, -1));
    const partition = await open(keyValue);
    const mark = builder.bare(RECORD.mark, 0, 25_000);
    partition.apply(mark);
    await partition.commit();
    await expect(partition.whenClosed()).rejects.toEqual(lost);
    for (let i = 0; i < 3; i++) {
      expect(partition.wantsCommit).toBe(true);
      await expect(partition.commit()).rejects.toEqual(lost);
      expect(partition.status.stateHashes).toEqual([]);
    }
    keyValue.content.set(pages[0], whole);
    while (partition.wantsCommit) await partition.commit();
    calm.partition.apply(mark);
    await calm.partition.commit();
    await calm.partition.whenClosed();
    expect(calm.partition.status.stateHashes).toHaveLength(2);
    expect(partition.status.stateHashes).toEqual(calm.partition.status.stateHashes);
    expect(await partition.stateHash()).toBe(await calm.partition.stateHash());
  });
});

test('on a disk that fills at any write, nothing is lost and nothing is answered wrongly', async () => {
  const calm = await played(40, 40_000);
  const answers = await Promise.all([0, 1, 2, 3].map((bucket) => summed(calm.partition, bucket * BUCKET_MS)));
  const writes = calm.keyValue.batchBytes.length;
  expect(writes).toBeGreaterThan(10);
  for (let failing = 0; failing < writes; failing++) {
    for (const failsLate of [false, true]) {
      let keyValue = new MemoryKeyValue();
      let partition = await open(keyValue);
      let failed = 0;
      const isRead = () => partition.nextOffset === calm.builder.records.length;
      while (!isRead() || partition.wantsCommit || partition.isClosing) {
        if (!partition.wantsCommit) {
          partition.apply(calm.builder.records[partition.nextOffset]);
          continue;
        }
        if (failed === 0 && keyValue.batchBytes.length >= failing)
          Object.assign(keyValue, { failingWrites: 1, failsLate });
        try {
          await partition.commit();
          if (isRead()) await partition.whenClosed();
        } catch (error) {
          expect(error).toMatchObject({ code: 'resource_exhausted' });
          failed++;
          // Every second time the process ends there.
          if (failing % 2 !== 0) continue;
          keyValue.crash();
          keyValue = new MemoryKeyValue(keyValue.content);
          partition = await open(keyValue);
        }
      }
      await partition.commit();
      const found = await Promise.all([0, 1, 2, 3].map((bucket) => summed(partition, bucket * BUCKET_MS)));
      expect({ failing, failsLate, found }).toEqual({ failing, failsLate, found: answers });
      expect(partition.status.stateHashes).toEqual(calm.partition.status.stateHashes);
      expect(await partition.stateHash()).toBe(await calm.partition.stateHash());
    }
  }
});
