import { describe, expect, test } from '@jest/globals';
import { ID_BYTES } from '@tidemark/model';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { asAnswered } from './query-reader.ts';
import { FROM_MS, gauge, setUp, TO_MS } from './testing/one-partition.ts';

const HOSTS = 20;
const POINTS = Array.from({ length: HOSTS }, (_, i) => gauge(FROM_MS, i, { tags: [`h:${i}`] }));
const BY_HOST = 'sum:load{*} by {h}.rollup(1)';
const GIB = 2 ** 30;
const STEPS = (TO_MS - FROM_MS) / 1000;

describe('memory of queries', () => {
  test('the values of all expressions of an answer count, not only those of the leaves', async () => {
    const { run } = setUp(POINTS, { limits: { values: 2 * HOSTS * STEPS } });
    const asked = (times: number) => run(Array(times).fill(`default_zero(${BY_HOST})`).join());
    expect((await asked(2)).series).toHaveLength(2 * HOSTS);
    await expect(asked(3)).rejects.toMatchObject({ code: 'resource_exhausted', detail: { limit: 'query.values' } });
  });

  test('a query beyond its memory is refused by name, and leaves nothing taken', async () => {
    const { run, service } = setUp(POINTS, { limits: { memoryBytes: HOSTS * STEPS * 80 } });
    expect((await run(BY_HOST)).series).toHaveLength(HOSTS);
    await expect(run(Array(20).fill(`abs(${BY_HOST})`).join())).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringMatching(
        /^the query would use \d+ bytes of memory \(limit: query.memoryBytes \d+\); ask for/,
      ),
      detail: { limit: 'query.memoryBytes' },
    });
    expect(service.memoryBytes).toBe(0);
  });

  test('series that are remembered for the next question of the same kind are counted, within their limit', async () => {
    const { run, service } = setUp(POINTS);
    expect(service.rememberedBytes).toBe(0);
    await run(BY_HOST);
    const bytes = service.rememberedBytes;
    expect(bytes).toBeGreaterThan(HOSTS * ID_BYTES);
    await run(BY_HOST);
    expect(service.rememberedBytes).toBe(bytes);
    const forgetful = setUp(POINTS, { limits: { matchBytes: bytes } });
    await forgetful.run(BY_HOST);
    expect(forgetful.service.rememberedBytes).toBe(0);
  });

  test.each(['tenantMemoryBytes', 'processMemoryBytes'] as const)(
    'answers count until they have been used, against %s',
    async (limit) => {
      const asked = { query: `abs(${BY_HOST}), ${BY_HOST}`, fromMs: FROM_MS, toMs: TO_MS };
      const limits = { tenantMemoryBytes: GIB, processMemoryBytes: GIB };
      const probe = setUp(POINTS).service;
      const bytes = await probe.run('default', asked, () => probe.memoryBytes);
      expect(bytes).toBeGreaterThan(0);
      const { service } = setUp(POINTS, { limits: { ...limits, [limit]: 5 * bytes } });
      const holds: { readonly done: Promise<void>; readonly release: () => void }[] = [];
      const hold = async (): Promise<void> => {
        const { promise, resolve: release } = Promise.withResolvers<void>();
        const held = Promise.withResolvers<void>();
        const done = service.run('default', asked, () => {
          held.resolve();
          return promise;
        });
        done.catch(held.reject);
        await held.promise;
        holds.push({ done, release });
      };
      const holdMany = async () => {
        for (let i = 0; i < 6; i++) await hold();
      };
      await expect(holdMany()).rejects.toMatchObject({
        code: 'resource_exhausted',
        detail: { limit: `query.${limit}` },
      });
      expect(holds.length).toBeGreaterThan(0);
      expect(service.memoryBytes).toBe(holds.length * bytes);
      for (const { done, release } of holds) {
        release();
        await done;
      }
      expect(service.memoryBytes).toBe(0);
      await expect(service.run('default', asked, asAnswered)).resolves.toBeDefined();
    },
  );

  test('an evaluation yields to other work, and ends when its caller has gone', async () => {
    let nowMs = 0;
    let turns = 0;
    const caller = new AbortController();
    const clock: Pick<Clock, 'monotonicMs'> = { monotonicMs: () => nowMs++ };
    const yieldTurn = async () => {
      if (++turns === 3) caller.abort(new TidemarkError('cancelled', 'the caller closed the connection'));
    };
    const { service } = setUp(POINTS, { slicing: { clock, yieldTurn, sliceMs: 2 } });
    const query = `${'ewma_20('.repeat(5)}${BY_HOST}${')'.repeat(5)}`;
    const asked = { query, fromMs: FROM_MS, toMs: TO_MS };
    await expect(service.run('default', asked, asAnswered, caller.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(turns).toBe(3);
    expect(service.memoryBytes).toBe(0);
  });
});
