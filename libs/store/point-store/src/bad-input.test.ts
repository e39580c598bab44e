import { describe, expect, test } from '@jest/globals';
import type { AggregateRequest } from '@tidemark/contract';
import { LogBuilder, shareOf } from '@tidemark/point-log/testing';
import { type BlockRecord, DICTIONARY_REFS_LIMIT, decodeRecord, encodeRecord, RECORD } from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS, POINT_STORE_VERSION, PointPartition } from './index.ts';
import { META_KEY } from './keys.ts';
import { requestOf, valuesOf } from './testing/aggregates.ts';

const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1_000, bucketMs: 10_000 };
const RANGE = { fromMs: 0, toMs: 100_000, stepMs: 100_000 };

function open(keyValue = new MemoryKeyValue(), change: Partial<typeof LIMITS> = {}): Promise<PointPartition> {
  const limits = { ...LIMITS, ...change };
  return PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 3_000 });
}

const gauge = (timeMs: number, value: number, series = 0) => ({ series, timeMs, value });

/** A partition with one lane, whose dictionary 0 has series 0 (a gauge) and 3 (a distribution). */
async function begun(keyValue?: MemoryKeyValue): Promise<{ builder: LogBuilder; partition: PointPartition }> {
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, 1_000);
  builder.block(0, 2_000, [{ client: 0, sequence: 0, points: [gauge(1_500, 5), gauge(1_500, 7, 3)] }]);
  const partition = await open(keyValue);
  for (const record of builder.records) partition.apply(record);
  return { builder, partition };
}

/** The block at the end of a builder's log, with changes. */
function changed(record: LogRecord, change: (block: BlockRecord) => Partial<BlockRecord>): LogRecord {
  const block = decodeRecord(record.value);
  return { ...record, value: encodeRecord({ ...block, ...change(block) }) };
}

describe('a record that cannot be applied', () => {
  const next = (builder: LogBuilder) =>
    builder.block(0, 3_000, [
      { client: 0, sequence: 1, points: [gauge(2_500, 6), gauge(2_500, 8, 3), gauge(2_500, 1, 4)] },
    ]);
  const withShare =
    (points: Parameters<typeof shareOf>[0], refOf: (series: number) => number) => (block: BlockRecord) => ({
      spans: [{ ...block.spans[0], share: shareOf(points, refOf) }],
    });
  const cases: Record<string, (record: LogRecord) => LogRecord> = {
    'a flipped bit': (record) => {
      const value = Uint8Array.from(record.value);
      value[value.length >> 1] ^= 4;
      return { ...record, value };
    },
    'nothing at all': (record) => ({ ...record, value: new Uint8Array(0) }),
    'another partition': (record) => changed(record, () => ({ partition: 1 })),
    'a missing record of the lane': (record) => changed(record, ({ sequence }) => ({ sequence: sequence + 1 })),
    'an epoch that went back': (record) => changed(record, () => ({ epoch: 0 })),
    'definitions with a hole': (record) =>
      changed(record, ({ definitions }) => ({ definitions: definitions.map((one) => ({ ...one, firstRef: 7 })) })),
    'definitions again': (record) =>
      changed(record, ({ definitions }) => ({ definitions: definitions.map((one) => ({ ...one, firstRef: 0 })) })),
    'a ref beyond the definitions': (record) =>
      changed(
        record,
        withShare([gauge(1, 1)], () => 3),
      ),
    'a dictionary that is not there': (record) =>
      changed(record, ({ spans }) => ({ spans: spans.map((span) => ({ ...span, dictionary: 9 })) })),
    'a number for a distribution': (record) =>
      changed(
        record,
        withShare([gauge(1, 1)], () => 1),
      ),
    'a sketch for a gauge': (record) =>
      changed(
        record,
        withShare([gauge(1, 1, 3)], () => 0),
      ),
    'a share of garbage': (record) =>
      changed(record, ({ spans }) => ({ spans: spans.map((span) => ({ ...span, share: Buffer.from('garbage') })) })),
  };

  test.each(Object.entries(cases))('a record with %s is data_loss, and nothing of it is applied', async (_, spoil) => {
    const { builder, partition } = await begun();
    builder.nextEpoch(0);
    partition.apply(
      builder.block(0, 2_500, [{ client: 0, sequence: 9, points: [gauge(1_600, 1), gauge(1_600, 1, 3)] }]),
    );
    const good = next(builder);
    const before = [await partition.stateHash(), partition.status];
    expect(() => partition.apply(spoil(good))).toThrow(expect.objectContaining({ code: 'data_loss' }));
    expect([await partition.stateHash(), partition.status]).toEqual(before);
    partition.apply(good);
    expect(partition.status.points).toBe(7);
  });

  test('any bytes in the place of a share give data_loss or points, never another error', async () => {
    const { builder } = await begun();
    const good = next(builder);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (share) => {
        const { partition } = await begun();
        const bad = changed(good, ({ spans }) => ({ spans: spans.map((span) => ({ ...span, share })) }));
        try {
          partition.apply(bad);
          await partition.commit();
        } catch (error) {
          expect(error).toMatchObject({ code: 'data_loss' });
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a skipped record', () => {
  /** Record 2, which is skipped, defines series 4; the lane continues with it and with series 0. */
  async function skipped() {
    const { builder, partition } = await begun();
    builder.block(0, 2_100, [{ client: 0, sequence: 1, points: [gauge(2_000, 1, 4)] }]);
    partition.skip('the disk lost it', { records: 1 });
    return { builder, partition };
  }

  test('a skipped record leaves a permanent marked gap, and points of series that only it defined are dropped and counted until the next epoch', async () => {
    const keyValue = new MemoryKeyValue();
    const { builder, partition } = await skipped();
    const points = [gauge(2_200, 6), gauge(2_200, 9, 4)];
    partition.apply(builder.block(0, 2_300, [{ client: 0, sequence: 2, points }]));
    const answer = async (of: PointPartition) => (await valuesOf(of, requestOf([0, 4], RANGE, 'last'))).values;
    expect(await answer(partition)).toEqual([[6], [undefined]]);
    expect(partition.status).toMatchObject({
      points: 3,
      gaps: [{ partition: 0, offset: 2, reason: 'the disk lost it' }],
    });
    builder.nextEpoch(0);
    partition.apply(builder.block(0, 2_400, [{ client: 0, sequence: 3, points }]));
    expect(await answer(partition)).toEqual([[6], [9]]);

    // The same log with a stop in the gap.
    const other = await open(keyValue);
    for (const record of builder.records.slice(0, 2)) other.apply(record);
    other.skip('the disk lost it', { records: 1 });
    await other.commit();
    const reopened = await open(keyValue);
    for (const record of builder.records.slice(3)) reopened.apply(record);
    expect(reopened.status.gaps).toEqual(partition.status.gaps);
    expect(await reopened.stateHash()).toBe(await partition.stateHash());
  });

  test('a skipped record excuses one missing record of a lane, and no other damage', async () => {
    const { builder, partition } = await skipped();
    const good = builder.block(0, 2_300, [{ client: 0, sequence: 2, points: [gauge(2_200, 6)] }]);
    const twice = changed(good, ({ sequence }) => ({ sequence: sequence + 1 }));
    expect(() => partition.apply(twice)).toThrow(/a record is missing/);
    partition.apply(good);
    builder.nextEpoch(0);
    const fresh = builder.block(0, 2_400, [{ client: 0, sequence: 3, points: [gauge(2_300, 6)] }]);
    const undefinedRef = changed(fresh, () => ({ definitions: [] }));
    expect(() => partition.apply(undefinedRef)).toThrow(expect.objectContaining({ code: 'data_loss' }));
    partition.apply(fresh);
    const huge = builder.block(0, 2_500, [{ client: 0, sequence: 4, points: [gauge(2_400, 6, 8)] }]);
    const far = { firstRef: DICTIONARY_REFS_LIMIT };
    const hole = changed(huge, ({ definitions }) => ({ definitions: definitions.map((one) => ({ ...one, ...far })) }));
    expect(() => partition.apply(hole)).toThrow(expect.objectContaining({ code: 'data_loss' }));
  });
});

describe('a full disk', () => {
  test.each([false, true])(
    'a later commit succeeds after a failed one, also when that was stored (%p)',
    async (late) => {
      const keyValue = new MemoryKeyValue();
      const { builder, partition } = await begun(keyValue);
      keyValue.failsLate = late;
      const calm = await begun();
      await calm.partition.commit();
      for (let i = 0; i < 3; i++) {
        keyValue.failingWrites = 1;
        await expect(partition.commit()).rejects.toMatchObject({ code: 'resource_exhausted' });
        expect(partition.committedOffset).toBe(0);
        expect((await valuesOf(partition, requestOf([0], RANGE, 'count'))).values).toEqual([[1]]);
      }
      await partition.commit();
      expect(partition.committedOffset).toBe(2);
      expect(await partition.stateHash()).toBe(await calm.partition.stateHash());
      expect(await (await open(keyValue)).stateHash()).toBe(await calm.partition.stateHash());
      expect(builder.records).toHaveLength(2);
    },
  );

  test('a bucket that could not be closed is closed before any other step, at the same offset', async () => {
    const hashes: unknown[] = [];
    for (const failingWrites of [0, 1, 2]) {
      const keyValue = new MemoryKeyValue();
      const { builder, partition } = await begun(keyValue);
      partition.apply(builder.bare(RECORD.mark, 0, 30_000));
      await partition.commit();
      await partition.whenClosed();
      expect(partition.status.stateHashes).toHaveLength(1);
      partition.apply(builder.block(0, 31_500, [{ client: 0, sequence: 1, points: [gauge(25_000, 1)] }]));
      expect(partition.wantsCommit).toBe(true);
      await partition.commit();
      keyValue.failingWrites = failingWrites;
      partition.apply(builder.bare(RECORD.mark, 0, 50_000));
      while (partition.wantsCommit || partition.isClosing) {
        await partition.commit().catch(() => undefined);
        await partition.whenClosed().catch(() => undefined);
      }
      hashes.push(partition.status.stateHashes);
    }
    expect(hashes[0]).toHaveLength(2);
    expect(hashes[1]).toEqual(hashes[0]);
    expect(hashes[2]).toEqual(hashes[0]);
  });
});

describe('refusals', () => {
  test('data of a newer format, another partition or another width of buckets is refused', async () => {
    const keyValue = new MemoryKeyValue();
    const { partition } = await begun(keyValue);
    await partition.commit();
    const refused = expect.objectContaining({ code: 'failed_precondition' });
    await expect(open(keyValue, { bucketMs: 20_000 })).rejects.toEqual(refused);
    const latenessMs = () => 0;
    await expect(PointPartition.open({ partition: 1, keyValue, limits: LIMITS, latenessMs })).rejects.toEqual(refused);
    const meta = await keyValue.get(META_KEY);
    await keyValue.write([
      {
        key: META_KEY,
        value: Buffer.concat([Uint8Array.of(POINT_STORE_VERSION + 1), (meta ?? Buffer.of()).subarray(1)]),
      },
    ]);
    await expect(open(keyValue)).rejects.toThrow(
      `has format ${POINT_STORE_VERSION + 1}, this program reads ${POINT_STORE_VERSION}`,
    );
    await expect(open(undefined, { bucketMs: 2_500 })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('pages of a series that is not stored are data_loss', async () => {
    const keyValue = new MemoryKeyValue();
    const { partition } = await begun(keyValue);
    await partition.commit();
    // Keys of pages of series begin with 05.
    for (const key of [...keyValue.content.keys()]) if (key.startsWith('05')) keyValue.content.delete(key);
    const opened = await open(keyValue);
    await expect(opened.stateHash()).rejects.toMatchObject({ code: 'data_loss' });
  });

  test('series that are said to have pages in a bucket without pages are data_loss', async () => {
    const keyValue = new MemoryKeyValue();
    const { partition } = await begun(keyValue);
    await partition.commit();
    const [key, value] = [...keyValue.content].find(([one]) => one.startsWith('09')) ?? ['', Buffer.of()];
    keyValue.content.set(`09c5${key.slice(4)}`, value);
    await expect(open(keyValue)).rejects.toMatchObject({ code: 'data_loss' });
  });

  test('a request beyond a limit is refused by name', async () => {
    const { builder, partition } = await begun();
    const base = requestOf([0], RANGE, 'last');
    const points = requestOf([0], RANGE, 'last', { maxPoints: 1 });
    await expect(partition.aggregate(points)).resolves.toMatchObject({ pointsRead: 1 });
    partition.apply(builder.block(0, 2_500, [{ client: 0, sequence: 1, points: [gauge(1_700, 5)] }]));
    for (const stored of [false, true]) {
      if (stored) await partition.commit();
      await expect(partition.aggregate(points)).rejects.toMatchObject({
        code: 'resource_exhausted',
        detail: { field: 'max_points', limit: 1 },
      });
    }
    const bad: Partial<AggregateRequest>[] = [
      { stepMs: 0 },
      { toMs: 0 },
      { stepMs: 1 },
      { timeFold: 8 },
      { intervalMs: 1e12 },
    ];
    for (const change of bad) {
      await expect(partition.aggregate({ ...base, ...change })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    const unknown = { ...base, groups: [{ digest: Buffer.alloc(16, 1), series: Buffer.alloc(0) }] };
    await expect(partition.aggregate(unknown)).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  test('a request that reads more bytes of pages than the limit is refused, from memory and from disk', async () => {
    const keyValue = new MemoryKeyValue();
    const { builder, partition } = await begun(keyValue);
    partition.apply(
      builder.block(0, 2_500, [
        { client: 0, sequence: 1, points: [1, 2, 3].map((ms) => gauge(1_000 + ms, Math.E / ms)) },
      ]),
    );
    await partition.commit();
    const { memory } = partition.status;
    const readBytes = 40;
    expect(memory.find(({ part }) => part === 'recent_pages')?.bytes).toBeGreaterThan(readBytes);
    const refused = { code: 'resource_exhausted', detail: { limitBytes: readBytes } };
    const request = requestOf([0], RANGE, 'last');
    const restarted = await open(keyValue, { readBytes });
    await expect(restarted.aggregate(request)).rejects.toMatchObject(refused);
    const own = await open(new MemoryKeyValue(), { readBytes });
    for (const record of builder.records) own.apply(record);
    await expect(own.aggregate(request)).resolves.toMatchObject({ pointsRead: 4 });
    await own.commit();
    await expect(own.aggregate(request)).rejects.toMatchObject(refused);
  });
});
