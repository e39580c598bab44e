import { describe, expect, test } from '@jest/globals';
import { hash128 } from '@tidemark/model';
import fc from 'fast-check';
import { ChunkBatch } from './chunk-batch.ts';
import { eachChunkOf, RecentChunks } from './recent-chunks.ts';
import { SeriesSets } from './series-sets.ts';
import { SharedLock } from './shared-lock.ts';
import { TagsCoverage } from './tags-coverage.ts';

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

  test('recent chunks stay within their budget by evicting the whole oldest bucket', () => {
    const one = batchOf(1, [1, 2, 3]);
    const size = one.bytes.length + 36;
    const recent = new RecentChunks(2 * size);
    for (const bucket of [1, 2, 3]) recent.add(bucket, one, true);
    expect([1, 2, 3].map((bucket) => recent.get(bucket)?.length)).toEqual([undefined, 1, 1]);
    // A bucket that is partly on disk is not started again in RAM.
    recent.add(1, one, false);
    expect(recent.get(1)).toBeUndefined();
    recent.replace(2, []);
    recent.replace(9, [one]);
    expect([recent.get(2), recent.get(9), recent.bytes]).toEqual([[], undefined, size]);
  });

  test('recent chunks are found for any series, also several of one series', () => {
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
  test('a shared lock admits readers together and writers alone, and neither starves', async () => {
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

describe('SeriesSets', () => {
  test('sets are known by digest until others need their space', () => {
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
  test('the coverage equals that of a list of all blocks', () => {
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

  test('an era lowers what blocks before it allow to its start', () => {
    const coverage = new TagsCoverage();
    coverage.add(10, 3_000);
    coverage.add(20, 9_000);
    coverage.setBack(5_000);
    coverage.add(30, 5_500);
    expect([5, 15, 25, 30].map((asked) => coverage.covered(asked, 6_000))).toEqual([3_000, 5_000, 5_500, 6_000]);
    expect(new TagsCoverage(coverage.entries).covered(15, 6_000)).toBe(5_000);
  });
});
