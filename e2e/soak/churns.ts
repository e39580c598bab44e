// What comes and goes in a platform, each act with names, tags or identities that were not used before.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect as connectTcp } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { connect } from '@tidemark/client';
import { ControlClient, type CreateKeyReply, Kind } from '@tidemark/contract';
import { callUnary } from '@tidemark/rpc';
import { compressSync } from 'snappy';
import { writeRequest } from '../../libs/ingest/remote-write/src/write-request.fixture.ts';
import { IntakePeer, shareOf } from '../process/intake-peer.ts';
import type { Target } from './churn.ts';

/** One act; `n` is its number. Throws when it was refused. */
export type Act = (n: number) => Promise<unknown>;

export interface Churn {
  readonly everyMs: number;
  readonly act: Act;
}

/** Tenants that are used in turn, each with a key that exists only for one act. */
const TENANTS = 20;
const LINES = 20;
const SPREAD_MS = 120_000;
const LOST_AFTER_MS = 1500;

/** The acts of churn by name. */
export function churnsOf(target: Target): Readonly<Record<string, Churn>> {
  const { grpcPort, dogstatsdPort } = target;
  const url = `http://127.0.0.1:${target.httpPort}`;
  const address = `127.0.0.1:${grpcPort}`;
  const control = new ControlClient(address, credentials.createInsecure());
  const socket = createSocket('udp4').unref();
  return {
    'dogstatsd names': { everyMs: 50, act: (n) => sendLines(socket, dogstatsdPort, n) },
    'idempotency keys': { everyMs: 20, act: (n) => sendKeyed(url, n) },
    'datadog series': { everyMs: 100, act: (n) => sendSeries(url, [{ metric: `churn.m${n}`, tags: [`pod:p${n}`] }]) },
    'remote write labels': { everyMs: 100, act: (n) => remoteWrite(url, n) },
    'stated metrics': { everyMs: 100, act: (n) => state(url, `stated.m${n}`) },
    'client sessions': { everyMs: 200, act: (n) => clientSession(address, n) },
    'lost streams': { everyMs: 200, act: (n) => lostStream(address, n) },
    'keys of tenants': { everyMs: 1000, act: (n) => tenantKey(url, control, `tenant-${n % TENANTS}`) },
    queries: { everyMs: 200, act: (n) => query(url, n) },
    'tags and metrics': { everyMs: 500, act: (n) => describe(url, n) },
    connections: { everyMs: 200, act: () => lostConnection(target.httpPort) },
  };
}

async function sendLines(socket: ReturnType<typeof createSocket>, port: number, n: number): Promise<void> {
  const lines = Array.from({ length: LINES }, (_, i) => `churn.requests:1|c|#pod:p${n * LINES + i}`);
  lines.push(`churn.users:u${n}|s`, `churn.latency:${n % 100}|d|#pod:p${n}`, `churn.name${n}:1|g`, 'steady:1|c');
  await new Promise<void>((resolve, reject) => {
    socket.send(lines.join('\n'), port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
  });
}

function sendKeyed(url: string, n: number): Promise<void> {
  const key = `${randomBytes(16).toString('hex')}.0.1`;
  return sendSeries(url, [{ metric: `keyed.m${n % 10}`, tags: [] }], { 'idempotency-key': key });
}

async function sendSeries(
  url: string,
  series: readonly { readonly metric: string; readonly tags: readonly string[] }[],
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const timestamp = Math.floor(Date.now() / 1000);
  const body = JSON.stringify({
    series: series.map((one) => ({ ...one, type: 1, points: [{ timestamp, value: 1 }] })),
  });
  await request(`${url}/api/v2/series`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

function remoteWrite(url: string, n: number): Promise<void> {
  const labels: [string, string][] = [
    ['__name__', `churn_written_${n % 50}`],
    [`label_${n % 200}`, `v${n}`],
  ];
  const body = new Uint8Array(compressSync(writeRequest([{ labels, samples: [[Date.now(), n]] }])));
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };
  return request(`${url}/api/v1/write`, { method: 'POST', headers, body });
}

function state(url: string, metric: string): Promise<void> {
  const body = JSON.stringify({ type: 'gauge', unit: 'byte', description: `about ${metric}` });
  const headers = { 'content-type': 'application/json' };
  return request(`${url}/api/v1/metrics/${metric}`, { method: 'PUT', headers, body });
}

async function clientSession(address: string, n: number): Promise<void> {
  const client = await connect({ name: `client ${n}`, address, flushIntervalMs: 0 });
  client.count('churn.client', 1, [`client:c${n}`]);
  client.flush();
  await client.settled();
  await client.close();
}

/** A stream that is cut after its first batch. */
async function lostStream(address: string, n: number): Promise<void> {
  const peer = await IntakePeer.greeted(address);
  try {
    const metric = `churn.stream${n % 10}`;
    const partition = peer.partitionOf(metric);
    peer.define(partition, [{ metric, kind: Kind.COUNT, tags: [`stream:s${n}`] }]);
    await peer.batch([{ partition, points: shareOf([[0, Date.now(), 1]]) }]);
  } finally {
    peer.close();
  }
}

async function tenantKey(url: string, control: ControlClient, tenant: string): Promise<void> {
  const { key } = await callUnary<CreateKeyReply>((done) =>
    control.createKey({ tenant, name: 'soak', scopes: ['send', 'read'] }, done),
  );
  // The HTTP server learns of the key when it reads `control`.
  await sendSeries(url, [{ metric: 'tenant.work', tags: [] }], { 'dd-api-key': key });
  await callUnary((done) => control.revokeKey({ tenant, name: 'soak' }, done));
}

function query(url: string, n: number): Promise<void> {
  const toMs = Date.now() - (n % 7) * 1000;
  const text = n % 2 === 0 ? `sum:churn.requests{pod:p${n * LINES}}` : `sum:steady{*} + ${n}`;
  const body = JSON.stringify({ query: text, from_ms: toMs - SPREAD_MS - n, to_ms: toMs });
  return request(`${url}/api/tidemark/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
}

async function describe(url: string, n: number): Promise<void> {
  await request(`${url}/api/v1/search?q=metrics:churn.m${n}`);
  await request(`${url}/api/v2/metrics/steady/all-tags`);
}

async function request(url: string, init: RequestInit = {}): Promise<void> {
  const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${reply.status} ${text.slice(0, 200)}`);
}

/** A connection that sends half of a request and is gone. */
function lostConnection(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: loc'));
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
    setTimeout(() => socket.destroy(), LOST_AFTER_MS);
  });
}
