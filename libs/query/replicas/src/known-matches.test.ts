import { expect, test } from '@jest/globals';
import { MatchReply, MatchRequest } from '@tidemark/contract';
import { DAY_MS, ID_BYTES } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { queryReader, type TagStoreReader } from '@tidemark/store-rpc';
import { KnownMatches } from './known-matches.ts';

const ASKED = MatchRequest.create({ tenant: 'acme', metric: 'cpu', fromMs: 10 * DAY_MS, toMs: 11 * DAY_MS });

/** A store with groups of one series each, which says no more of a version that the caller knows. */
class OneStore {
  version: Buffer | undefined = Buffer.from('1');
  groups = 2;
  /** What was asked with which version, and how many groups were sent. */
  readonly asked: (readonly [known: string | undefined, sent: number])[] = [];

  get reader(): TagStoreReader {
    return {
      ...queryReader('tags', () => () => Promise.reject(new Error('only matches are asked for'))),
      match: async (request: MatchRequest) => this.#match(request),
    };
  }

  #match({ knownVersion, maxGroups }: MatchRequest): MatchReply {
    const unchanged = this.version !== undefined && knownVersion?.equals(this.version) === true;
    const sent = unchanged ? 0 : this.groups;
    this.asked.push([knownVersion?.toString(), sent]);
    if (maxGroups > 0 && sent > maxGroups) throw new TidemarkError('resource_exhausted', `${sent} groups`);
    const groups = Array.from({ length: sent }, (_, i) => {
      return { tags: [`host:${i}`], seriesClass: 1 as const, series: Buffer.alloc(ID_BYTES, i) };
    });
    return MatchReply.create({
      ...{ classes: unchanged ? [] : [1], groups, version: this.version, unchanged },
      tagsOffset: this.asked.length,
    });
  }
}

function knowing(limitBytes = 1_000_000) {
  const store = new OneStore();
  const matches = new KnownMatches(limitBytes);
  return { store, matches, reader: matches.of('0', store.reader) };
}

test('groups of a known version are not sent again, and what else a reply says is of the last one', async () => {
  const { store, reader } = knowing();
  const first = await reader.match(ASKED);
  const second = await reader.match({ ...ASKED, fromMs: ASKED.fromMs + 1 });
  expect(second).toMatchObject({ groups: first.groups, classes: [1], tagsOffset: 2, unchanged: false });
  // The bytes of the ids are the same object, by which their digest is found.
  expect(second.groups[0].series).toBe(first.groups[0].series);
  expect(store.asked).toEqual([
    [undefined, 2],
    ['1', 0],
  ]);
});

test('another version replaces what is known', async () => {
  const { store, reader } = knowing();
  await reader.match(ASKED);
  store.version = Buffer.from('2');
  store.groups = 3;
  expect((await reader.match(ASKED)).groups).toHaveLength(3);
  expect((await reader.match(ASKED)).groups).toHaveLength(3);
  expect(store.asked).toEqual([
    [undefined, 2],
    ['1', 3],
    ['2', 0],
  ]);
});

test.each<[string, Partial<MatchRequest>]>([
  ['tenant', { tenant: 'other' }],
  ['metric', { metric: 'mem' }],
  ['filter', { filter: { filter: { $case: 'tag', value: 'env:prod' } } }],
  ['grouping', { groupBy: ['host'] }],
  ['first day', { fromMs: ASKED.fromMs - 1 }],
  ['last day', { toMs: ASKED.toMs + 1 }],
])('a question with another %s is asked whole', async (_, change) => {
  const { store, reader } = knowing();
  await reader.match(ASKED);
  await reader.match({ ...ASKED, ...change });
  expect(store.asked.map(([known]) => known)).toEqual([undefined, undefined]);
});

test('a store of another name is asked whole', async () => {
  const { store, matches, reader } = knowing();
  await reader.match(ASKED);
  await matches.of('1', store.reader).match(ASKED);
  expect(store.asked.map(([known]) => known)).toEqual([undefined, undefined]);
});

test('the store refuses a known match that is beyond a limit', async () => {
  const { store, reader } = knowing();
  await reader.match(ASKED);
  await expect(reader.match({ ...ASKED, maxGroups: 1 })).rejects.toMatchObject({ code: 'resource_exhausted' });
  await reader.match({ ...ASKED, maxGroups: 2, maxSeries: 2 });
  await reader.match({ ...ASKED, maxSeries: 1 });
  expect(store.asked.map(([known]) => known)).toEqual([undefined, undefined, '1', undefined]);
});

test('a store without versions is asked whole each time, and nothing is kept of it', async () => {
  const { store, matches, reader } = knowing();
  await reader.match(ASKED);
  store.version = undefined;
  await reader.match(ASKED);
  await reader.match(ASKED);
  expect(store.asked.map(([known]) => known)).toEqual([undefined, '1', undefined]);
  expect(matches.bytes).toBe(0);
});

test('an empty range has no answer in common with its day', async () => {
  const { store, reader } = knowing();
  const empty = { ...ASKED, toMs: ASKED.fromMs };
  await reader.match(empty);
  await reader.match(ASKED);
  await reader.match(empty);
  expect(store.asked.map(([known]) => known)).toEqual([undefined, undefined, undefined]);
});

test('what is kept is in memory of its own, and not part of buffers that it would keep alive', async () => {
  const { store, reader } = knowing();
  // As small parts of a pool, as those that a message is decoded into.
  store.version = Buffer.from('1');
  expect(store.version.buffer.byteLength).toBeGreaterThan(1000);
  const { groups, metricId } = await reader.match(ASKED);
  for (const bytes of [metricId, ...groups.map(({ series }) => series)]) {
    expect(bytes.buffer.byteLength).toBe(1 + metricId.length + 2 * ID_BYTES);
  }
});

test('the least recently used are evicted beyond the limit', async () => {
  const one = knowing();
  await one.reader.match(ASKED);
  const { store, matches, reader } = knowing(2.5 * one.matches.bytes);
  const ask = async (metric: string) => {
    await reader.match({ ...ASKED, metric });
    return store.asked.at(-1)?.[0];
  };
  for (const metric of ['cp1', 'cp2']) expect(await ask(metric)).toBeUndefined();
  expect(await ask('cp1')).toBe('1');
  expect(await ask('cp3')).toBeUndefined();
  expect(await ask('cp1')).toBe('1');
  expect(await ask('cp2')).toBeUndefined();
  expect(matches.bytes).toBe(2 * one.matches.bytes);
  store.groups = 10_000;
  store.version = Buffer.from('2');
  // One that is larger than the limit is not kept, nor what was known before.
  expect(await ask('cp2')).toBe('1');
  expect(matches.bytes).toBe(one.matches.bytes);
});
