import { describe, expect, test } from '@jest/globals';
import { IdHash } from '@tidemark/bytes';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import type { BlockRecord } from '@tidemark/point-records';
import { dictionaryOf, LaneDictionaries, UNDEFINED_SERIES } from './lane-dictionaries.ts';
import { SeriesIndex } from './series-index.ts';

describe('SeriesIndex', () => {
  test('the index finds every series by its id while it grows, also when first words collide', () => {
    const table = new SeriesIndex();
    const idOf = (i: number) => {
      const id = Buffer.from(hash128(Buffer.from(String(i))));
      if (i % 3 === 0) id.writeUInt32LE(7, 0);
      return id;
    };
    const count = 9_000;
    for (let i = 0; i < count; i++)
      expect(table.add(idOf(i), hash128(Buffer.from(`m${i % 50}`)), SERIES_CLASS.count)).toBe(i);
    for (let i = 0; i < count; i++) {
      expect(table.find(idOf(i))).toBe(i);
      expect(table.metric(i)).toBe(i % 50);
    }
    expect(table.add(idOf(5), Buffer.alloc(16), SERIES_CLASS.reading)).toBe(5);
    expect(table.find(Buffer.alloc(16, 3))).toBe(-1);
    expect([table.length, table.metricCount, table.seriesClass(8_999)]).toEqual([count, 50, SERIES_CLASS.count]);
  });

  test('ids that are next to each other in a table without a key cost as much as any others', () => {
    const table = new SeriesIndex(new IdHash(Buffer.alloc(16, 5)));
    const count = 20_000;
    const id = Buffer.alloc(16);
    for (let i = 0; i < count; i++) {
      id.writeUInt32LE(i % 500, 0);
      id.writeUInt32LE(i, 4);
      table.add(id, Buffer.alloc(16), SERIES_CLASS.count);
    }
    expect(table.length).toBe(count);
    expect(table.probes).toBeLessThan(count * 3);
  });
});

describe('LaneDictionaries', () => {
  const block = (epoch: number, firstRef: number, series: number, lane = 0): BlockRecord => ({
    type: 1,
    partition: 0,
    session: Buffer.alloc(16, 1),
    lane,
    epoch,
    sequence: 0,
    markMs: 0,
    tagsOffset: 0,
    keyframeOffset: -1,
    era: -1,
    eraStartMs: 0,
    minTimeMs: 0,
    maxTimeMs: 0,
    points: 0,
    definitions: [
      {
        dictionary: 4,
        firstRef,
        series: Array.from({ length: series }, () => ({
          metricId: Buffer.alloc(16),
          seriesId: Buffer.alloc(16),
          seriesClass: SERIES_CLASS.reading,
        })),
      },
    ],
    spans: [],
  });

  test('dictionaries continue within an epoch, restart with the next, and save only changes', () => {
    const dictionaries = new LaneDictionaries();
    let dense = 0;
    const define = (record: BlockRecord) => dictionaries.define(record, () => dense++);
    define(block(0, 0, 3));
    define(block(0, 3, 2));
    expect([...dictionaryOf(dictionaries.of(block(0, 0, 0)), 4).series.subarray(0, 5)]).toEqual([0, 1, 2, 3, 4]);
    expect(dictionaries.check(block(0, 5, 1), false).get(4)).toBe(6);
    expect(() => dictionaries.check(block(0, 6, 1), false)).toThrow(/continues at ref 6, but 5 refs are defined/);
    expect(dictionaries.changes.deltas).toHaveLength(2);
    dictionaries.saved();
    define(block(1, 0, 1));
    expect([...dictionaries.changes.stale]).toHaveLength(1);
    expect(dictionaries.changes.deltas.map(({ epoch }) => epoch)).toEqual([1]);
    expect(() => dictionaries.check(block(0, 5, 1), false)).toThrow(/epoch 0 after epoch 1/);
    expect(dictionaries.of(block(0, 0, 0)).size).toBe(0);

    const restored = new LaneDictionaries();
    for (const delta of dictionaries.changes.deltas) restored.restore(delta, () => false);
    expect(restored.of(block(1, 0, 0))).toEqual(dictionaries.of(block(1, 0, 0)));
    dictionaries.drop([...dictionaries.changes.stale][0]);
    expect(dictionaries.changes.deltas).toHaveLength(0);
  });

  test('dictionaries keep the refs that a gap left undefined', () => {
    const dictionaries = new LaneDictionaries();
    expect(dictionaries.check(block(0, 2, 1), true).get(4)).toBe(3);
    dictionaries.define(block(0, 2, 1), () => 7);
    const { series, length, hasGaps } = dictionaryOf(dictionaries.of(block(0, 0, 0)), 4);
    expect([...series.subarray(0, length)]).toEqual([UNDEFINED_SERIES, UNDEFINED_SERIES, 7]);
    expect(hasGaps).toBe(true);
  });
});
