import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from '@jest/globals';
import { Access } from '@tidemark/access';
import { type HealthReply, ProcessService } from '@tidemark/contract';
import { ControlState } from '@tidemark/control-log';
import { processService, type SessionOf } from '@tidemark/health';
import { type IntakeSession, ownSessionStatus, sessionStatus } from '@tidemark/intake';
import { SystemClock } from '@tidemark/node-runtime';
import { parseSettings } from '@tidemark/settings';
import { healthAccess } from './health-access.ts';
import { IntakeNetwork } from './intake-network.ts';
import { peerSecurity } from './peer-security.ts';

const KEY = 'the key of this cluster';
const state = new ControlState();
for (const [i, process] of ['intake a', 'intake b', 'intake c'].entries()) {
  const session = Buffer.alloc(16, i);
  const key = session.toString('hex');
  state.sessions.set(key, {
    key,
    session,
    process,
    state: i === 2 ? 'fenced' : 'open',
    renewedMs: 5,
    endedMs: undefined,
  });
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Starts an intake that answers status requests; returns its address. */
async function intake(sessionOf: SessionOf | undefined): Promise<string> {
  const access = healthAccess(KEY, new Access(state, { loopbackNeedsKey: true }), true);
  const server = new Server();
  server.addService(ProcessService, processService({ reply: {} as HealthReply }, access, sessionOf));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  stops.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

async function network(intakes: readonly string[], key = KEY): Promise<IntakeNetwork> {
  const text = JSON.stringify({ cluster: { intakes: intakes.join(', '), keyFile: 'key' } });
  const settings = parseSettings({ flags: {}, environment: {}, file: { name: 'test', text } });
  const peers = await peerSecurity({ settings, readFile: async () => Buffer.from(key) });
  const opened = new IntakeNetwork({ settings, clock: new SystemClock() }, peers);
  stops.push(() => opened.close());
  return opened;
}

/** The session of intake a, which has one stream of each tenant. */
const own = {
  session: Buffer.alloc(16, 0),
  statusFor: (tenant: string) => ({
    ...{ streams: 1, queuedBytes: 9, rejectedPoints: { value_nan: 2 }, violations: {}, leftOut: {}, refused: [] },
    clientNames: { ab: `agent of ${tenant}` },
    formerClientNames: {},
    sources: [],
  }),
} as unknown as IntakeSession;

test('a status has what each intake reports of its session to the calling tenant', async () => {
  const a = await intake((tenant) => ownSessionStatus(state, own, tenant));
  const b = await intake(() => undefined);
  const reports = await (await network([a, b])).reports('acme');
  expect(sessionStatus(state, reports)).toMatchObject([
    {
      process: 'intake a',
      state: 'open',
      streams: 1,
      queuedBytes: 9,
      clientNames: { ab: 'agent of acme' },
      // `not_told` is a name of the contract. words: allow notTold
      notTold: '',
    },
    { process: 'intake b', state: 'open', streams: 0, notTold: 'cluster.intakes does not name its process' },
    { process: 'intake c', state: 'fenced', streams: 0, notTold: '' },
  ]);
});

test('an intake that is unreachable or refuses the key is named, and the other intakes are shown', async () => {
  const a = await intake((tenant) => ownSessionStatus(state, own, tenant));
  const gone = await intake(undefined);
  stops.pop()?.();
  const [first, second] = sessionStatus(state, await (await network([a, gone])).reports('acme'));
  expect([first.streams, first.notTold]).toEqual([1, '']);
  expect([second.streams, second.notTold]).toEqual([0, expect.stringContaining(`${gone}: unavailable: `)]);
  const [refused] = sessionStatus(state, await (await network([a], 'another key, also long')).reports('acme'));
  expect(refused.notTold).toContain(`${a}: unauthenticated: `);
});

test('a process that is not an intake reports that', async () => {
  const store = await intake(undefined);
  const { reported, unreportedReason } = await (await network([store])).reports('acme');
  expect([reported.size, unreportedReason]).toEqual([
    0,
    expect.stringContaining('unimplemented: this process is not an intake'),
  ]);
});
