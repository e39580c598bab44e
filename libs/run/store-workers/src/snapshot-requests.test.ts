import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { type LogBounds, TidemarkError } from '@tidemark/ports';
import { SnapshotRequests } from './snapshot-requests.ts';
import type { PassedOver, RestoreRequest } from './store-messages.ts';

const PLACE = { kind: 'points', partition: 3, topic: 'points', folder: '/data/points/3' } as const;
const FORMAT = 9;

/** Requests whose main thread restores a snapshot at offset 10, and at 20 where the log begins above 10. */
function setUp() {
  const seen = {
    bounds: { first: 5, next: 100, id: 'log' } as LogBounds,
    asked: [] as Omit<RestoreRequest, 'kind' | 'partition' | 'to' | 'askedMs'>[],
    moves: [] as string[],
    damaged: [] as PassedOver[],
    removed: [] as string[],
    /** Called when a restored database is checked. */
    check: async (): Promise<void> => undefined,
    /** Called when a snapshot was downloaded. */
    downloaded: (): void => undefined,
  };
  const stopping = new AbortController();
  const requests: SnapshotRequests = new SnapshotRequests({
    disk: {
      list: async () => ['3', '3.restored', '3.restored.restoring', '30.restored', '3.damaged-1'],
      remove: async (path) => void seen.removed.push(path),
      rename: async (from, to) => void seen.moves.push(`${from} to ${to}`),
    },
    log: { bounds: async () => seen.bounds },
    clock: new SystemClock(),
    stopping: stopping.signal,
    check: () => seen.check(),
    send: (message) => {
      if (message.type !== 'restore') return;
      const { kind: _kind, partition: _partition, to: _to, askedMs: _askedMs, ...asked } = message.request;
      seen.asked.push(asked);
      const offset = asked.fromOffset <= 10 && asked.without.length === 0 ? 10 : 20;
      seen.downloaded();
      if (stopping.signal.aborted) return;
      const snapshot = { id: `at ${offset}`, offset, createdMs: 0 };
      requests.settle(message.id, { state: 'restored', snapshot, damaged: seen.damaged });
    },
  });
  return { seen, requests, stopping };
}

test('asks for a snapshot that the log continues, and moves it to its place', async () => {
  const { seen, requests } = setUp();
  const snapshot = { id: 'at 10', offset: 10, createdMs: 0 };
  expect(await requests.restore(PLACE, FORMAT)).toEqual({ state: 'restored', snapshot, damaged: [] });
  expect(seen.asked).toEqual([{ logId: 'log', fromOffset: 5, toOffset: 100, format: FORMAT, without: [] }]);
  await requests.putInPlace(PLACE, snapshot);
  expect(seen.moves).toEqual(['points/3.restored to points/3']);
  // Once it was in use it is not taken again.
  await requests.restore(PLACE, FORMAT);
  const why = expect.stringContaining('was restored before');
  expect(seen.asked[1].without).toEqual([{ id: 'at 10', why, mayHelp: true }]);
});

test('asks again where the log was trimmed above the snapshot while it was downloaded', async () => {
  const { seen, requests } = setUp();
  seen.downloaded = () => {
    seen.bounds = { first: 15, next: 100, id: 'log' };
  };
  expect(await requests.restore(PLACE, FORMAT)).toMatchObject({ snapshot: { id: 'at 20' } });
  expect(seen.asked.map(({ fromOffset }) => fromOffset)).toEqual([5, 15]);
});

test('passes over a snapshot that can not be opened, and keeps one that could not be checked', async () => {
  const { seen, requests } = setUp();
  seen.check = async () => {
    throw new TidemarkError('resource_exhausted', 'no space left');
  };
  const failed = { state: 'failed', error: { code: 'resource_exhausted' } };
  for (let i = 0; i < 2; i++) expect(await requests.restore(PLACE, FORMAT)).toMatchObject(failed);
  // It was downloaded once, and is the newest one still.
  expect(seen.asked).toHaveLength(1);
  seen.check = async () => {
    seen.check = async () => undefined;
    throw new TidemarkError('data_loss', 'a wrong magic number');
  };
  expect(await requests.restore(PLACE, FORMAT)).toMatchObject({ snapshot: { id: 'at 20' } });
  const why = "can't be opened: a wrong magic number";
  expect(seen.asked[1].without).toEqual([{ id: 'at 10', why, mayHelp: true }]);
});

test('ends what waits when the stores stop, and cleans up only what is its own', async () => {
  const { seen, requests, stopping } = setUp();
  seen.downloaded = () => stopping.abort();
  const cancelled = { state: 'failed', error: { code: 'cancelled' } };
  expect(await requests.restore(PLACE, FORMAT)).toMatchObject(cancelled);
  seen.removed.length = 0;
  await requests.clean(PLACE);
  expect(seen.removed).toEqual(['points/3.restored', 'points/3.restored.restoring']);
});

test('downloads a damaged snapshot once, and again one whose copy could not be read', async () => {
  const { seen, requests } = setUp();
  seen.damaged = [{ id: 'at 15', why: 'is damaged: a wrong checksum', mayHelp: false }];
  seen.check = async () => {
    throw new TidemarkError('unavailable', 'an I/O error');
  };
  for (let i = 0; i < 2; i++) expect(await requests.restore(PLACE, FORMAT)).toMatchObject({ state: 'failed' });
  expect(seen.asked.map(({ without }) => without)).toEqual([[], seen.damaged]);
});
