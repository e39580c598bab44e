import { describe, expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import { asAnswered } from './query-reader.ts';
import { FROM_MS, gauge, setUp } from './testing/one-partition.ts';

const HOSTS = 100;
const HOUR_MS = 3_600_000;
/** Groups of an hour of seconds of which one reply has at most 128 Ki values. */
const PER_REQUEST = 36;
const POINTS = Array.from({ length: HOSTS }, (_, i) => gauge(FROM_MS + i * 1000, i, { tags: [`h:${i}`] }));
const ASKED = { query: 'sum:load{*} by {h}.rollup(1)', fromMs: FROM_MS, toMs: FROM_MS + HOUR_MS };

/** A service, and how many requests its point store has got and answers at the moment. */
function counted(fails = Number.POSITIVE_INFINITY) {
  const { stores, service } = setUp(POINTS);
  const requests = { all: 0 };
  stores.before = (part) => {
    if (!part.startsWith('points/')) return;
    if (++requests.all === fails) throw new TidemarkError('unavailable', 'the store is gone');
  };
  const run = (query = ASKED.query) => service.run('default', { ...ASKED, query }, asAnswered);
  return { run, requests };
}

describe('a leaf of many values', () => {
  test('is asked for in several requests, and has each group once', async () => {
    const { run, requests } = counted();
    const { series, errors } = await run();
    expect(requests.all).toBe(Math.ceil(HOSTS / PER_REQUEST));
    expect(errors).toEqual([]);
    expect(new Set(series.map(({ tagSet }) => tagSet.join())).size).toBe(HOSTS);
    for (const { tagSet, values } of series) expect(tagSet).toEqual([`h:${values[0]}`]);
  });

  test('is one request when its values are few', async () => {
    const { run, requests } = counted();
    expect((await run('sum:load{*} by {h}.rollup(3600)')).series).toHaveLength(HOSTS);
    expect(requests.all).toBe(1);
  });

  test('keeps the groups that were answered when a later request fails, and says which part failed', async () => {
    const { run } = counted(2);
    const { series, errors, completeThroughMs } = await run();
    expect(series).toHaveLength(PER_REQUEST);
    expect(errors).toMatchObject([{ part: 'points/0', code: 'unavailable' }]);
    expect(completeThroughMs).toBeUndefined();
  });
});
