import { describe, expect, test } from '@jest/globals';
import type { BlockRecord } from '@tidemark/block';
import { hash128, KIND } from '@tidemark/model';
import fc from 'fast-check';
import { ChunkBatch } from './chunk-batch.ts';
import { dictionaryOf, LaneDictionaries, UNDEFINED_SERIES } from './lane-dictionaries.ts';
import { eachChunkOf, RecentChunks } from './recent-chunks.ts';
import { SeriesSets } from './series-sets.ts';
import { SeriesTable } from './series-table.ts';
import { SharedLock } from './shared-lock.ts';
import { TagsCoverage } from './tags-coverage.ts';

describe('SeriesTable', () => {
  test('finds every series by its id while it grows, also where the first words collide', () => {
    const table = new SeriesTable();
    const idOf = (i: number) => {
      const id = Buffer.from(hash128(Buffer.from(String(i))));
      if (i % 3 === 0) id.writeUInt32LE(7, 0);
      return id;
    };
    const count = 9_000;
    for (let i = 0; i < count; i++) expect(table.add(idOf(i), hash128(Buffer.from(`m${i % 50}`)), KIND.count)).toBe(i);
    for (let i = 0; i < count; i++) {
      expect(table.find(idOf(i))).toBe(i);
      expect(table.metric(i)).toBe(i % 50);
    }
    expect(table.add(idOf(5), Buffer.alloc(16), KIND.gauge)).toBe(5);
    expect(table.find(Buffer.alloc(16, 3))).toBe(-1);
    expect([table.length, table.metricCount, table.kind(8_999)]).toEqual([count, 50, KIND.count]);
  });
});

describe('RecentChunks', () => {
  const batchOf = (bucket: number, series: readonly number[]) => {
    const batch = new ChunkBatch(bucket);
    for (const one of series) {
      const out = batch.begin({ mapEpoch: 1, fromOffset: 0, toOffset: 1 });
      out.u32(one);
      batch.end(one, 0);
    }
    return batch.finish(1).packed;
  };

  test('keep within their budget by letting go of the oldest bucket, whole', () => {
    const one = batchOf(1, [1, 2, 3]);
    const size = one.bytes.length + 36;
    const recent = new RecentChunks(2 * size);
    for (const bucket of [1, 2, 3]) recent.add(bucket, one, true);
    expect([1, 2, 3].map((bucket) => recent.get(bucket)?.length)).toEqual([undefined, 1, 1]);
    // What is on disk in part is not begun again in RAM.
    recent.add(1, one, false);
    expect(recent.get(1)).toBeUndefined();
    recent.replace(2, []);
    recent.replace(9, [one]);
    expect([recent.get(2), recent.get(9), recent.bytes]).toEqual([[], undefined, size]);
  });

  test('find the chunks of any series, several of one too', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 80 }), fc.uniqueArray(fc.nat(70)), (stored, asked) => {
        const wanted = Uint32Array.from(asked).sort();
        const found: number[] = [];
        eachChunkOf(batchOf(0, stored), wanted, (series, chunk) => {
          expect(chunk.readUInt32LE(chunk.length - 4)).toBe(series);
          found.push(series);
        });
        expect(found).toEqual(stored.filter((series) => asked.includes(series)).sort((a, b) => a - b));
      }),
    );
  });
});

describe('SharedLock', () => {
  test('lets readers in together, writers alone, and neither starves', async () => {
    const lock = new SharedLock();
    const log: string[] = [];
    let inside = 0;
    const enter = (name: string, isWriter: boolean) => async () => {
      inside++;
      if (isWriter) expect(inside).toBe(1);
      log.push(name);
      for (let i = 0; i < 3; i++) await Promise.resolve();
      if (isWriter) expect(inside).toBe(1);
      inside--;
      if (name === 'fails') throw new Error('of the work');
    };
    const failing = lock.write(enter('fails', true));
    await Promise.all([
      expect(failing).rejects.toThrow('of the work'),
      lock.read(enter('r1', false)),
      lock.read(enter('r2', false)),
      lock.write(enter('w1', true)),
      lock.read(enter('r3', false)),
    ]);
    expect(log).toEqual(['fails', 'r1', 'r2', 'w1', 'r3']);
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
          kind: KIND.gauge,
        })),
      },
    ],
    spans: [],
  });

  test('go on within an epoch, begin anew with the next, and are saved as what changed', () => {
    const dictionaries = new LaneDictionaries();
    let dense = 0;
    const define = (record: BlockRecord) => dictionaries.define(record, () => dense++);
    define(block(0, 0, 3));
    define(block(0, 3, 2));
    expect([...dictionaryOf(dictionaries.of(block(0, 0, 0)), 4).series.subarray(0, 5)]).toEqual([0, 1, 2, 3, 4]);
    expect(dictionaries.check(block(0, 5, 1), false).get(4)).toBe(6);
    expect(() => dictionaries.check(block(0, 6, 1), false)).toThrow(/goes on at ref 6, 5 are defined/);
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

  test('keep the refs that a gap left without a definition', () => {
    const dictionaries = new LaneDictionaries();
    expect(dictionaries.check(block(0, 2, 1), true).get(4)).toBe(3);
    dictionaries.define(block(0, 2, 1), () => 7);
    const { series, length, hasGaps } = dictionaryOf(dictionaries.of(block(0, 0, 0)), 4);
    expect([...series.subarray(0, length)]).toEqual([UNDEFINED_SERIES, UNDEFINED_SERIES, 7]);
    expect(hasGaps).toBe(true);
  });
});

describe('SeriesSets', () => {
  test('are known by digest until others need their room', () => {
    const sets = new SeriesSets(64);
    const [a, b, c] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill));
    for (const ids of [a, b]) sets.resolve(hash128(ids), ids);
    expect(sets.resolve(hash128(a), Buffer.alloc(0))).toEqual(Uint8Array.from(a));
    sets.resolve(hash128(c), c);
    expect(() => sets.resolve(hash128(b), Buffer.alloc(0))).toThrow(/not known here/);
    expect(() => sets.resolve(hash128(b), a)).toThrow(/digest/);
    expect(() => sets.resolve(hash128(b), a.subarray(1))).toThrow(/multiple of 16/);
    const large = Buffer.alloc(80);
    expect(sets.resolve(hash128(large), large)).toBe(large);
    expect(sets.resolve(hash128(a), Buffer.alloc(0))).toEqual(Uint8Array.from(a));
  });
});

describe('TagsCoverage', () => {
  test('says what a list of all blocks would', () => {
    const block = fc.record({ tags: fc.nat(5), ahead: fc.nat(1) });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 40 }), (blocks) => {
        const coverage = new TagsCoverage();
        const all: { tagsOffset: number; watermarkMs: number }[] = [];
        let tagsOffset = 0;
        let watermarkMs = 0;
        for (const { tags, ahead } of blocks) {
          tagsOffset += tags - 2;
          watermarkMs += ahead;
          coverage.add(tagsOffset, watermarkMs);
          all.push({ tagsOffset, watermarkMs });
        }
        for (let asked = 0; asked < 60; asked++) {
          const first = all.find((one) => one.tagsOffset > asked);
          expect(coverage.covered(asked, watermarkMs)).toBe(first?.watermarkMs ?? watermarkMs);
        }
      }),
    );
  });
});
