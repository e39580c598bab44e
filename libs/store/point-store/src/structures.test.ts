import { describe, expect, test } from '@jest/globals';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import { Page, PageKernel, PageWriter } from '@tidemark/page';
import type { SeriesIndex } from '@tidemark/point-log';
import { TidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { PageBudget } from './pages/page-budget.ts';
import { packIndexedPage, unpackIndexedPage } from './pages/page-index.ts';
import { RecentPages } from './pages/recent-pages.ts';
import { SHARED_PAGES, SlotDeal } from './pages/slot-deal.ts';
import { SeriesSets } from './series/series-sets.ts';
import { SharedLock } from './state/shared-lock.ts';
import { TagsCoverage } from './state/tags-coverage.ts';

/** Series s has metric s >> 8; those of metric 9 are distributions. */
const table = {
  metric: (series: number) => series >> 8,
  seriesClass: (series: number) => (series >> 8 === 9 ? SERIES_CLASS.distribution : SERIES_CLASS.reading),
} as SeriesIndex;

describe('RecentPages', () => {
  const writer = new PageWriter(new PageKernel());

  function pageOf(series: number): Page {
    writer.addValues(series, writer.times.add(Float64Array.of(1000), 0, 1), Float64Array.of(series), 0);
    return new Page(writer.finish({ mapEpoch: 1, fromOffset: 0, toOffset: 1 }));
  }

  test('recent pages stay within their budget by evicting the whole oldest bucket', () => {
    const [page, other] = [pageOf(1), pageOf(2)];
    const probe = new RecentPages(1e6);
    const deal = new SlotDeal(table, 1);
    probe.add(1, deal, [{ number: 0, page }], true);
    const recent = new RecentPages(2 * probe.bytes);
    for (const bucket of [1, 2, 3]) recent.add(bucket, deal, [{ number: 0, page }], true);
    expect([1, 2, 3].map((bucket) => recent.get(bucket)?.length)).toEqual([undefined, 1, 1]);
    // A bucket that is partly on disk is not started again in RAM.
    recent.add(1, deal, [{ number: 0, page }], false);
    expect(recent.get(1)).toBeUndefined();
    const family = { bucket: 3, deal: 1, family: SHARED_PAGES };
    recent.replace(family, 0, [other], 1);
    recent.replace({ ...family, bucket: 9 }, 0, [other], 1);
    expect(recent.get(3)?.[0].pages).toEqual([[other]]);
    expect([recent.get(9), recent.bytes]).toEqual([undefined, 2 * probe.bytes]);
    // The page of a later commit stays.
    recent.replace(family, 0, [page], 0);
    expect(recent.get(3)?.[0].pages).toEqual([[page, other]]);
    recent.replace(family, 0, [other], 1);
    recent.dropAfter(2);
    expect([recent.get(3), recent.bytes]).toEqual([undefined, probe.bytes]);
    recent.drop(2);
    expect(recent.bytes).toBe(0);
  });

  test('a partition may use what others of its thread leave, until they need it', () => {
    const page = pageOf(1);
    const probe = new RecentPages(1e6);
    const deal = new SlotDeal(table, 1);
    probe.add(1, deal, [{ number: 0, page }], true);
    const budget = new PageBudget();
    const [large, small] = [0, 1].map(() => new RecentPages(2 * probe.bytes, budget));
    for (const bucket of [1, 2, 3, 4, 5]) large.add(bucket, deal, [{ number: 0, page }], true);
    expect([1, 2, 3, 4, 5].map((bucket) => large.get(bucket)?.length)).toEqual([undefined, 1, 1, 1, 1]);
    for (const bucket of [1, 2, 3]) small.add(bucket, deal, [{ number: 0, page }], true);
    expect([large.bytes, small.bytes]).toEqual([2 * probe.bytes, 2 * probe.bytes]);
    expect([large.get(3), small.get(1)]).toEqual([undefined, undefined]);
    for (const bucket of [6, 7]) small.add(bucket, deal, [{ number: 0, page }], true);
    expect(large.bytes).toBe(2 * probe.bytes);
    small.close();
    expect([large.bytes, small.bytes]).toEqual([2 * probe.bytes, 0]);
    large.add(6, deal, [{ number: 0, page }], true);
    expect(large.bytes).toBe(2 * probe.bytes);
  });

  test('pages that queries read do not evict the newest, which do not use their share', () => {
    const page = pageOf(1);
    const probe = new RecentPages(1e6);
    const deal = new SlotDeal(table, 1);
    probe.add(1, deal, [{ number: 0, page }], true);
    const budget = new PageBudget();
    const recent = new RecentPages(3 * probe.bytes, budget);
    const cache = {
      isCache: true,
      shareBytes: 2 * probe.bytes,
      bytes: 0,
      evict: () => {
        cache.bytes -= probe.bytes;
      },
    };
    budget.join(cache);
    const read = () => {
      cache.bytes += probe.bytes;
      budget.settle();
    };
    recent.add(1, deal, [{ number: 0, page }], true);
    for (let i = 0; i < 9; i++) read();
    expect([recent.bytes, cache.bytes]).toEqual([probe.bytes, 4 * probe.bytes]);
    for (const bucket of [2, 3, 4, 5]) recent.add(bucket, deal, [{ number: 0, page }], true);
    expect([recent.bytes, cache.bytes]).toEqual([3 * probe.bytes, 2 * probe.bytes]);
    read();
    expect([recent.bytes, cache.bytes]).toEqual([3 * probe.bytes, 2 * probe.bytes]);
  });

  test('recent pages have the versions of one page in the order of commits, apart by deal', () => {
    const [first, second, third] = [1, 2, 3].map(pageOf);
    const [deal, later] = [new SlotDeal(table, 1), new SlotDeal(table, 7)];
    const recent = new RecentPages(1e6);
    recent.add(1, deal, [{ number: 2, page: first }], true);
    recent.add(1, deal, [{ number: 2, page: second }], false);
    recent.add(1, later, [{ number: 2, page: third }], false);
    expect(recent.get(1)?.map(({ pages }) => pages[2])).toEqual([[first, second], [third]]);
  });
});

describe('SlotDeal', () => {
  test('a slot belongs to one series permanently, and a page to one metric unless it is shared', () => {
    const seriesOf = fc.array(fc.tuple(fc.nat(9), fc.nat(90)), { maxLength: 600 });
    fc.assert(
      fc.property(seriesOf, (asked) => {
        const deal = new SlotDeal(table, 1);
        const dealt = new Map<number, number>();
        for (const [metric, i] of asked) {
          const series = (metric << 8) | i;
          const slot = deal.slotOf(series);
          expect(slot).toBe(dealt.get(series) ?? slot);
          dealt.set(series, slot);
          expect([deal.findSlot(series), deal.pages[slot >> 8].series[slot & 255]]).toEqual([slot, series]);
        }
        expect(new Set(dealt.values()).size).toBe(dealt.size);
        for (const { metric, series, slots } of deal.pages) {
          const metrics = new Set([...series.subarray(0, slots)].map((one) => table.metric(one)));
          if (metric !== SHARED_PAGES) expect([...metrics]).toEqual([metric]);
          // A sketch is large: a page of them has few.
          if (metrics.has(9)) expect([metrics.size, slots <= 16]).toEqual([1, true]);
        }
      }),
    );
  });

  test('a metric gets pages of its own from 65 series on, and its changes are named once', () => {
    const deal = new SlotDeal(table, 1);
    const named = () => [...deal.changes()].map(({ page, metric, series }) => [page.metric, metric, series.length]);
    for (let i = 0; i < 60; i++) deal.slotOf(i);
    for (let i = 0; i < 3; i++) deal.slotOf(256 + i);
    expect(named()).toEqual([
      [SHARED_PAGES, 0, 60],
      [SHARED_PAGES, 1, 3],
    ]);
    deal.saved();
    expect(named()).toEqual([]);
    for (let i = 60; i < 70; i++) deal.slotOf(i);
    expect(named()).toEqual([
      [SHARED_PAGES, 0, 64],
      [0, 0, 6],
    ]);
    expect(deal.findSlot(5000)).toBe(-1);
  });
});

describe('an entry of the index of pages', () => {
  test('gives back its series, and is data_loss for other bytes', () => {
    const own = fc.uniqueArray(fc.nat(0xffff_ffff), { maxLength: 256 });
    fc.assert(
      fc.property(own, fc.boolean(), fc.nat(), fc.nat(255), (numbers, isShared, at, byte) => {
        const bytes = packIndexedPage({ isShared, series: Uint32Array.from(numbers) });
        expect(unpackIndexedPage(bytes)).toEqual({ isShared, series: Uint32Array.from(numbers) });
        for (let length = 0; length < bytes.length; length++) {
          expect(() => unpackIndexedPage(bytes.subarray(0, length))).toThrow(TidemarkError);
        }
        bytes[at % bytes.length] = byte;
        try {
          unpackIndexedPage(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'data_loss' });
        }
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
    // Each takes 832 bytes, and 4 for each of its two series.
    const sets = new SeriesSets(1700);
    const [a, b, c] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill));
    for (const ids of [a, b]) sets.resolve(hash128(ids), ids);
    expect(sets.resolve(hash128(a), Buffer.alloc(0))).toEqual(Uint8Array.from(a));
    sets.resolve(hash128(c), c);
    expect(() => sets.resolve(hash128(b), Buffer.alloc(0))).toThrow(/not known here/);
    expect(() => sets.resolve(hash128(b), a)).toThrow(/digest/);
    expect(() => sets.resolve(hash128(b), a.subarray(1))).toThrow(/multiple of 16/);
    const large = Buffer.alloc(1600);
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
