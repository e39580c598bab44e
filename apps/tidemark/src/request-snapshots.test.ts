import { credentials, Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CreateSnapshotsReply, type CreateSnapshotsRequest, SnapshotsService } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import type { Target } from './deployment.ts';
import { requestSnapshots } from './request-snapshots.ts';
import { StartedProcess, until } from './started-process.fixture.ts';

type Call = ServerWritableStream<CreateSnapshotsRequest, CreateSnapshotsReply>;

/** A command starts, on a machine that may be busy. */
const TEST_MS = 120_000;
const POINTS = { kind: 'points', partition: 0 };
const PROGRESS: CreateSnapshotsReply = {
  ...POINTS,
  state: { $case: 'progress', value: { doneBytes: 1, totalBytes: 2 } },
};
const MADE: CreateSnapshotsReply = {
  ...POINTS,
  state: { $case: 'made', value: { id: '7-ab', offset: 7, createdMs: 0, uploadedBytes: 1, reusedBytes: 0 } },
};

const servers = [new Server(), new Server()];
let targets: readonly Target[];
/** Serves the calls of both processes. */
let serve: (call: Call) => void;
let calls: number;

beforeAll(async () => {
  const addresses = servers.map((server) => {
    const create = (call: Call): void => {
      calls++;
      serve(call);
    };
    server.addService(SnapshotsService, { create });
    return new Promise<string>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (failed, port) =>
        failed === null ? resolve(`127.0.0.1:${port}`) : reject(failed),
      );
    });
  });
  targets = (await Promise.all(addresses)).map((address) => ({ kind: 'point store', address, partitions: [0] }));
});

beforeEach(() => {
  calls = 0;
  serve = (call) => {
    for (const reply of [PROGRESS, MADE]) call.write(reply);
    call.end();
  };
});

afterAll(() => {
  for (const server of servers) server.forceShutdown();
});

/** Asks processes; returns what has come of it, with the names of its progress. The first progress aborts `abort`. */
async function created(of: readonly Target[], partitions: number[] = [], abort?: AbortController) {
  const shown: string[] = [];
  const show = (name: string): void => {
    shown.push(name);
    abort?.abort();
  };
  const advise = ({ code, message }: TidemarkError, address: string) =>
    new TidemarkError(code, `${address} ${message}`);
  const access = { credentials: credentials.createInsecure(), processKey: undefined };
  const { snapshots, failed } = await requestSnapshots(
    { targets: of, ...access },
    { kind: '', partitions },
    { line: { show }, advise, signal: (abort ?? new AbortController()).signal },
  );
  return { shown, made: snapshots.map(({ of: store, process }) => `${store} at ${process}`), failed };
}

test('the progress of replicas is shown with the addresses of their processes', async () => {
  const names = targets.map(({ address }) => `points/0 at ${address}`);
  expect(await created(targets)).toEqual({ shown: names, made: names, failed: [] });
  expect((await created(targets.slice(0, 1))).shown).toEqual(['points/0']);
});

test('a partition that no process has is a failure, unless a process that may have it does not answer', async () => {
  const reason = 'no process has a store of any kind and partition 7';
  expect((await created(targets, [0, 7, 7])).failed).toEqual([{ code: 'not_found', reason }]);
  serve = (call) => call.emit('error', { code: status.NOT_FOUND, details: 'none' });
  const [first] = targets;
  const own = { process: first.address, code: 'not_found', reason: `${first.address} none` };
  expect((await created([first], [0])).failed).toEqual([own]);
  expect((await created([first], [0, 7])).failed).toEqual([own, { code: 'not_found', reason }]);
  expect((await created([{ ...first, kind: 'platform', partitions: [] }], [7])).failed).toEqual([own]);
});

test('an abort cancels the call, keeps what was made, and asks no further process', async () => {
  let cancelled = false;
  serve = (call) => {
    call.once('cancelled', () => {
      cancelled = true;
    });
    for (const reply of [MADE, PROGRESS]) call.write(reply);
  };
  const { made, failed } = await created(targets, [0, 7], new AbortController());
  expect([made, failed, calls]).toEqual([[`points/0 at ${targets[0].address}`], [], 1]);
  await until('cancelled call', async () => cancelled);
});

test(
  'Ctrl-C cancels the call, and the exit code is 130',
  async () => {
    const [{ address }] = targets;
    let cancelled = false;
    serve = (call) => {
      call.write(PROGRESS);
      call.once('cancelled', () => {
        cancelled = true;
      });
    };
    const command = new StartedProcess(['snapshot', 'create', '--address', address]);
    await until('call', async () => calls === 1);
    expect(await command.signal('SIGINT')).toBe(130);
    expect(command.error).toMatch(/^tidemark: interrupted: /);
    await until('cancelled call', async () => cancelled);
  },
  TEST_MS,
);
