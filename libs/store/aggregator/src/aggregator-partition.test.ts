import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { LATENESS_MS, LogBuilder, play, script } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import { isTidemarkError, type LogRecord } from '@tidemark/ports';
import { type Content, MemoryKeyValue, passRecord } from '@tidemark/simulation';
import fc from 'fast-check';
import { AggregatorPartition } from './index.ts';

/** Entries by key, in hex, as docs/formats/aggregator.md lays them out. A change there is a change of the format. */
const GOLDEN_FILE = new URL('aggregator-v4.golden.json', import.meta.url);
const LIMITS = { commitStepMs: 2_000 };

function open(keyValue: MemoryKeyValue, partition = 0): Promise<AggregatorPartition> {
  return AggregatorPartition.open({ partition, keyValue, limits: LIMITS });
}

function openPoints(): Promise<PointPartition> {
  return PointPartition.open({
    partition: 0,
    keyValue: new MemoryKeyValue(),
    limits: { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 2_000, bucketMs: 10_000 },
    latenessMs: () => LATENESS_MS,
  });
}

/** Applies a record, or skips it when it cannot be applied; returns the reason. */
function take(state: PointPartition | AggregatorPartition, record: LogRecord): string {
  try {
    passRecord(record, (one) => state.apply(one));
    return 'applied';
  } catch (error) {
    if (!isTidemarkError(error, 'data_loss')) throw error;
    state.skip(error.message, { records: 1 });
    return error.message;
  }
}

const damage = fc.array(
  fc.record({ at: fc.nat(60), how: fc.constantFrom('flip' as const, 'lose' as const, 'repeat' as const) }),
  { maxLength: 4 },
);

/** The log as a bad disk could return it. */
function damaged(records: readonly LogRecord[], damages: readonly { at: number; how: string }[]): LogRecord[] {
  const values = records.map(({ value }) => Uint8Array.from(value));
  for (const { at, how } of damages) {
    if (at >= values.length) continue;
    if (how === 'flip') values[at][values[at].length >> 1] ^= 4;
    else if (how === 'lose') values.splice(at, 1);
    else values.splice(at, 0, values[Math.max(0, at - 3)]);
  }
  return values.map((value, offset) => ({ offset, appendTimeMs: Number.MAX_SAFE_INTEGER, value }));
}

describe('AggregatorPartition', () => {
  test('has the watermark, the lanes and the halts of the point store at every offset, also after crashes', async () => {
    let halts = 0;
    let crashes = 0;
    await fc.assert(
      fc.asyncProperty(script, damage, fc.uniqueArray(fc.nat(70), { maxLength: 6 }), async (steps, damages, ends) => {
        const { builder } = play(steps);
        const records = damaged(builder.records, damages);
        const store = await openPoints();
        const places: unknown[] = [];
        const placeOf = ({ status }: PointPartition | AggregatorPartition, outcome: string) => {
          const { offset, watermarkMs, lanes, gaps, duplicatePoints } = status;
          return { outcome, offset, watermarkMs, lanes, gaps, duplicatePoints };
        };
        for (const record of records) {
          const outcome = take(store, record);
          if (outcome !== 'applied') halts++;
          places.push(placeOf(store, outcome));
          if (store.wantsCommit) await store.commit();
        }

        const content: Content = new Map();
        const crashAt = new Set(ends);
        let aggregator = await open(new MemoryKeyValue(content));
        while (aggregator.nextOffset < records.length) {
          const { nextOffset } = aggregator;
          const outcome = take(aggregator, records[nextOffset]);
          expect(placeOf(aggregator, outcome)).toEqual(places[nextOffset]);
          if (aggregator.wantsCommit) await aggregator.commit();
          if (!crashAt.delete(nextOffset)) continue;
          crashes++;
          aggregator = await open(new MemoryKeyValue(content));
          expect(aggregator.nextOffset).toBeLessThanOrEqual(nextOffset + 1);
        }
        await aggregator.commit();
        const reopened = await open(new MemoryKeyValue(content));
        expect(reopened.status).toEqual(aggregator.status);
      }),
      { numRuns: 100 },
    );
    expect(halts).toBeGreaterThan(20);
    expect(crashes).toBeGreaterThan(20);
  });

  test('a commit succeeds after a failed one, whether its write was stored or not', async () => {
    for (const failsLate of [false, true]) {
      const keyValue = new MemoryKeyValue();
      const aggregator = await open(keyValue);
      const builder = new LogBuilder();
      builder.bare(RECORD.open, 0, 1_000);
      builder.block(0, 9_000, [{ client: 0, sequence: 0, points: [{ series: 1, timeMs: 8_000, value: 1 }] }]);
      for (const record of builder.records) aggregator.apply(record);
      expect(aggregator.wantsCommit).toBe(true);
      Object.assign(keyValue, { failingWrites: 1, failsLate });
      await expect(aggregator.commit()).rejects.toMatchObject({ code: 'resource_exhausted' });
      expect([aggregator.committedOffset, aggregator.wantsCommit]).toEqual([0, true]);
      await aggregator.commit();
      expect([aggregator.committedOffset, aggregator.wantsCommit]).toEqual([2, false]);
      const reopened = await open(new MemoryKeyValue(keyValue.content));
      expect(reopened.status).toEqual(aggregator.status);
    }
  });

  test('data of another partition or a newer format is refused', async () => {
    const keyValue = new MemoryKeyValue();
    const aggregator = await open(keyValue);
    aggregator.skip('an example', { records: 1 });
    await aggregator.commit();
    await expect(open(keyValue, 1)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: 'the data is of partition 0, expected 1',
    });
    keyValue.content.get('01')?.writeUInt8(5, 0);
    await expect(open(keyValue)).rejects.toMatchObject({ code: 'failed_precondition', detail: { version: 5 } });
  });

  test('stores the golden entries of its format', async () => {
    const keyValue = new MemoryKeyValue();
    const aggregator = await open(keyValue);
    const builder = new LogBuilder();
    const gauge = { series: 0, timeMs: 1_500, value: 5 };
    builder.bare(RECORD.open, 0, 1_000);
    builder.block(0, 2_000, [{ client: 0, sequence: 0, points: [gauge, { ...gauge, timeMs: 12_000 }] }]);
    builder.block(0, 12_500, [{ client: 0, sequence: 1, points: [gauge, { ...gauge, series: 3 }] }]);
    for (const record of builder.records) {
      aggregator.apply(record);
      if (aggregator.wantsCommit) await aggregator.commit();
    }
    aggregator.skip('an example', { records: 1 });
    await aggregator.commit();
    const stored = Object.fromEntries([...keyValue.content].map(([key, value]) => [key, value.toString('hex')]).sort());
    const golden: Record<string, string> = JSON.parse(await readFile(GOLDEN_FILE, 'utf8'));
    expect(stored).toEqual(golden);
    const content = Object.entries(golden).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, 'hex')]);
    const reopened = await open(new MemoryKeyValue(new Map(content)));
    expect(reopened.status).toEqual(aggregator.status);
    expect(reopened.status).toMatchObject({ offset: 4, watermarkMs: 12_500, points: 4 });
  });

  test('a day of churn leaves nothing of the series behind that no lane defines any more', async () => {
    const keyValue = new MemoryKeyValue();
    const aggregator = await open(keyValue);
    const builder = new LogBuilder();
    builder.bare(RECORD.open, 0, 1_000);
    const sizes: number[] = [];
    for (let epoch = 0; epoch < 40; epoch++) {
      const timeMs = 2_000 + epoch * 10_000;
      const points = Array.from({ length: 200 }, (_, i) => ({ series: epoch * 200 + i, timeMs, value: 1 }));
      builder.block(0, timeMs, [{ client: 0, sequence: epoch, points }]);
      builder.nextEpoch(0);
      for (const record of builder.records.slice(aggregator.nextOffset)) aggregator.apply(record);
      await aggregator.commit();
      sizes.push([...keyValue.content.values()].reduce((sum, value) => sum + value.length, 0));
    }
    expect(aggregator.status.points).toBe(8_000);
    expect(Math.max(...sizes)).toBeLessThan(sizes[0] * 1.2);
  });

  test('a damaged meta entry is data_loss or refused, never another error', async () => {
    const keyValue = new MemoryKeyValue();
    const aggregator = await open(keyValue);
    aggregator.skip('an example', { records: 1 });
    await aggregator.commit();
    const meta = keyValue.content.get('01') ?? Buffer.alloc(0);
    await fc.assert(
      fc.asyncProperty(fc.nat(meta.length - 1), fc.nat(255), fc.boolean(), async (at, byte, isCut) => {
        const broken = isCut ? meta.subarray(0, at) : Buffer.from(meta);
        if (!isCut) broken[at] = byte;
        try {
          await open(new MemoryKeyValue(new Map([['01', broken]])));
        } catch (error) {
          expect(['data_loss', 'failed_precondition']).toContain(isTidemarkError(error) ? error.code : error);
        }
      }),
      { numRuns: 300 },
    );
  });
});
