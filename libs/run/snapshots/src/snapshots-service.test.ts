import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CreateSnapshotsReply, SnapshotsClient, SnapshotsService } from '@tidemark/contract';
import { operatorsOnly } from '@tidemark/health';
import { TidemarkError } from '@tidemark/ports';
import { callStream } from '@tidemark/rpc';
import { SimulatedClock } from '@tidemark/simulation';
import type { SnapshotPlace } from '@tidemark/snapshot';
import { type AskedSchedule, snapshotsService } from './snapshots-service.ts';

const PLACES: readonly SnapshotPlace[] = [
  { kind: 'points', partition: 0 },
  { kind: 'tags', partition: 0 },
  { kind: 'points', partition: 1 },
];
const MADE = { id: 'one', offset: 7, createdMs: 5, uploadedBytes: 100, reusedBytes: 20 };

const server = new Server();
let client: SnapshotsClient;
let tenant: string;
let make: AskedSchedule['make'];
let schedule: AskedSchedule | undefined;

beforeAll(async () => {
  const access = operatorsOnly({ tenantOf: () => tenant });
  server.addService(
    SnapshotsService,
    snapshotsService(() => schedule, access, new SimulatedClock()),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (failed, bound) =>
      failed === null ? resolve(bound) : reject(failed),
    );
  });
  client = new SnapshotsClient(`127.0.0.1:${port}`, credentials.createInsecure());
});

beforeEach(() => {
  tenant = 'default';
  make = async (of) => ({ ...MADE, of, retentionError: undefined, damaged: [] });
  schedule = { places: PLACES, make: (...asked) => make(...asked) };
});

afterAll(() => {
  client.close();
  server.forceShutdown();
});

function create(kind = '', partitions: readonly number[] = []): Promise<CreateSnapshotsReply[]> {
  return callStream(() => client.create({ kind, partitions: [...partitions] }));
}

/** What has come of each store, without progress. */
async function outcomes(kind?: string, partitions?: readonly number[]): Promise<string[]> {
  const replies = await create(kind, partitions);
  return replies.flatMap(({ kind: of, partition, state }) => {
    if (state?.$case === 'progress') return [];
    return [`${of}/${partition} ${state?.$case === 'failed' ? state.value.reason : state?.$case}`];
  });
}

test('makes a snapshot of each store that is meant, and sends its progress before it', async () => {
  make = async (of, options) => {
    for (const doneBytes of [10, 120]) {
      // Each is sent before the next one.
      await new Promise(setImmediate);
      options?.onProgress?.(doneBytes, 120);
    }
    return { ...MADE, of, retentionError: undefined, damaged: [] };
  };
  expect(await create('tags')).toEqual([
    { kind: 'tags', partition: 0, state: { $case: 'progress', value: { doneBytes: 0, totalBytes: 0 } } },
    { kind: 'tags', partition: 0, state: { $case: 'progress', value: { doneBytes: 10, totalBytes: 120 } } },
    { kind: 'tags', partition: 0, state: { $case: 'progress', value: { doneBytes: 120, totalBytes: 120 } } },
    { kind: 'tags', partition: 0, state: { $case: 'made', value: MADE } },
  ]);
  expect(await outcomes()).toEqual(['points/0 made', 'tags/0 made', 'points/1 made']);
  expect(await outcomes('points', [1, 2])).toEqual(['points/1 made']);
  expect(await outcomes('', [0])).toEqual(['points/0 made', 'tags/0 made']);
});

test('a store that fails does not stop the others', async () => {
  const whole = make;
  make = async (of, options) => {
    if (of.kind === 'tags') throw new TidemarkError('unavailable', 'no answer');
    return whole(of, options);
  };
  expect(await outcomes()).toEqual(['points/0 made', 'tags/0 no answer', 'points/1 made']);
});

test('only operators may call, and what can not be made is refused', async () => {
  await expect(create('aggregator')).rejects.toMatchObject({ code: 'not_found' });
  await expect(create('point')).rejects.toMatchObject({
    message: 'kind: point (limit: points, tags, aggregator)',
  });
  schedule = undefined;
  await expect(create()).rejects.toMatchObject({
    ...{ code: 'failed_precondition', message: expect.stringMatching(/^objects\.store: none/) },
  });
  tenant = 'other';
  await expect(create()).rejects.toMatchObject({ code: 'permission_denied' });
});

test('a second caller is refused while the process makes snapshots for another one', async () => {
  const whole = make;
  let go = (): void => undefined;
  const started = new Promise<void>((resolve) => {
    make = (of, options) => {
      if (of.kind !== 'tags') return whole(of, options);
      resolve();
      return new Promise((made) => {
        go = () => made(whole(of, options));
      });
    };
  });
  const first = outcomes('tags');
  await started;
  const second = await create('points').catch((error: unknown) => error);
  go();
  expect(await first).toEqual(['tags/0 made']);
  expect(second).toMatchObject({
    code: 'resource_exhausted',
    message: expect.stringMatching(/another caller \(limit: 1 at a time\); retry when/),
  });
  make = whole;
  expect(await outcomes('tags')).toEqual(['tags/0 made']);
});

test('a caller that cancels ends the snapshot in progress, and the others are not made', async () => {
  const seen: string[] = [];
  const ended = new Promise<unknown>((resolve) => {
    make = (of, options) =>
      new Promise((_, reject) => {
        seen.push(`${of.kind}/${of.partition}`);
        options?.signal?.addEventListener('abort', () => {
          reject(options.signal?.reason);
          resolve(options.signal?.reason);
        });
      });
  });
  const abort = new AbortController();
  const call = client.create({ kind: '', partitions: [] });
  call.once('data', () => abort.abort());
  await expect(callStream(() => call, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  expect(await ended).toMatchObject({ code: 'cancelled' });
  await new Promise(setImmediate);
  expect(seen).toEqual(['points/0']);
});
