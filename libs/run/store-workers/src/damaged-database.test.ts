import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { TidemarkError } from '@tidemark/ports';
import { SimulatedClock } from '@tidemark/simulation';
import { asBuffer, definitionOf, type StoreKind } from '@tidemark/store-rpc';
import { damagedStore, logState } from './damaged-database.ts';
import { STORE_KINDS } from './store-kinds.ts';

const position = { logNext: 0, logId: undefined, halted: '', haltedOffset: -1, problem: '' };

test.each(Object.keys(STORE_KINDS) as StoreKind[])(
  'a damaged store of %s reports its halt in its status',
  async (kind) => {
    const store = damagedStore(kind, 3, 'bit rot');
    const { signal } = new AbortController();
    const bytes = await store.answer('status', new Uint8Array(0), { position }, signal);
    const { responseDeserialize, responseSerialize } = definitionOf(kind, 'status');
    const status = responseDeserialize(asBuffer(bytes));
    expect(status).toMatchObject({ partition: 3, halted: 'bit rot', haltedOffset: -1 });
    // A field that is not one of this message would be left out here.
    expect(Buffer.from(responseSerialize(status))).toEqual(Buffer.from(bytes));
    expect(store.position({ position })).toMatchObject({ partition: 3, halted: 'bit rot', haltedOffset: -1 });
    await expect(store.answer('match', new Uint8Array(0), { position }, signal)).rejects.toMatchObject({
      code: 'data_loss',
    });
  },
);

test.each([
  ['one that begins at offset 0', { first: 0, next: 7 }, 'whole'],
  ['one that was trimmed', { first: 3, next: 7 }, 'cut'],
  ['one whose records were all trimmed', { first: 7, next: 7 }, 'cut'],
  ['one that is empty, or never had a record', { first: 0, next: 0 }, 'cut'],
])('a damaged database is built again only from a whole log: %s', async (_, bounds, state) => {
  const log = { bounds: async () => ({ ...bounds, logId: undefined }), read: async () => [] };
  expect(await logState(log, new SystemClock(), { topic: 'points', partition: 0 })).toBe(state);
});

test('a log that does not answer is not one without its first records', async () => {
  const clock = new SimulatedClock();
  const fails = async (): Promise<never> => {
    throw new TidemarkError('unavailable', 'no broker');
  };
  const bounds = async () => ({ first: 0, next: 7, id: 'log' });
  const place = { topic: 'points', partition: 0 } as const;
  expect(await logState({ bounds, read: fails }, clock, place)).toBe('silent');
  const silent = logState({ bounds: fails, read: fails }, clock, place, { waitMs: 1000 });
  await clock.advance(1100);
  expect(await silent).toBe('silent');
  const stopping = new AbortController();
  const stopped = logState({ bounds: fails, read: fails }, clock, place, { stopping: stopping.signal });
  stopping.abort();
  expect(await stopped).toBe('silent');
  const lost = async (): Promise<never> => {
    throw new TidemarkError('data_loss', 'a segment is gone');
  };
  expect(await logState({ bounds, read: lost }, clock, place)).toBe('cut');
});
