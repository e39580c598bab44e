import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const CONNECTIONS = 40;
const FLOOD = 3 * CONNECTIONS;
/** Places of tenants; the others are for newcomers. */
const OF_TENANTS = (CONNECTIONS * 3) / 4;

const harness = new TestHarness();
afterEach(() => harness.clear());

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  harness.onClear(async () => socket.destroy());
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

async function flood(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < FLOOD) sockets.push(await open(port));
  return sockets;
}

/** Begins a request of Datadog's API whose body does not end. */
async function slowBody(platform: PlatformUnderTest, key: string): Promise<Socket> {
  const socket = await open(platform.httpPort);
  const head = `POST /api/v2/series HTTP/1.1\r\nhost: localhost\r\ndd-api-key: ${key}\r\n`;
  socket.write(`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`);
  return socket;
}

async function send(platform: PlatformUnderTest, key: string): Promise<number> {
  const timestamp = Math.floor(Date.now() / 1000);
  const series = [{ metric: 'm', type: 3, points: [{ timestamp, value: 1 }] }];
  const reply = await fetch(`${platform.httpUrl}/api/v2/series`, {
    method: 'POST',
    // A connection of its own, as a new sender has.
    headers: { 'content-type': 'application/json', 'dd-api-key': key, connection: 'close' },
    body: JSON.stringify({ series }),
  });
  await reply.text();
  return reply.status;
}

const closedOf = (sockets: readonly Socket[]) => sockets.filter(({ closed }) => closed).length;

test('while connections without a key take all places, health is answered and a tenant sends and queries', async () => {
  const platform = await harness.platform({ connections: CONNECTIONS });
  const key = await platform.createKey('acme', 'k', ['send', 'read']);
  for (const port of [platform.httpPort, platform.grpcPort]) {
    const idle = await flood(port);
    await eventually('the oldest to yield', () => closedOf(idle) >= FLOOD - CONNECTIONS);
    expect(idle.slice(-5).map(({ closed }) => closed)).toEqual(Array(5).fill(false));
  }
  const health = await fetch(`${platform.httpUrl}/healthz`, { headers: { connection: 'close' } });
  expect(health.status).toBe(200);
  expect(await send(platform, key)).toBe(202);
  expect((await platform.query('sum:m{*}', Date.now() - 60_000, Date.now(), key)).errors).toEqual([]);
});

test('a tenant whose slow bodies have all places of tenants loses one to another tenant', async () => {
  const platform = await harness.platform({ connections: CONNECTIONS });
  const greedy = await platform.createKey('greedy', 'k', ['send']);
  const key = await platform.createKey('acme', 'k', ['send']);
  const slow: Socket[] = [];
  for (let i = 0; i < FLOOD; i++) slow.push(await slowBody(platform, greedy));
  await eventually('all but its places to be closed', () => closedOf(slow) >= FLOOD - CONNECTIONS);
  expect(await send(platform, key)).toBe(202);
  expect((await fetch(`${platform.httpUrl}/readyz`, { headers: { connection: 'close' } })).status).toBe(200);
  expect(slow.length - closedOf(slow)).toBeGreaterThan(OF_TENANTS / 2);
});

test('a request that arrives too slowly is ended', async () => {
  const platform = await harness.platform({ receiveMs: 300 });
  const key = await platform.createKey('acme', 'k', ['send']);
  const [head, body] = [await open(platform.httpPort), await slowBody(platform, key)];
  head.write('GET /healthz HTTP/1.1\r\nx-slow: ');
  await eventually('both to be closed', () => head.closed && body.closed);
  expect(await send(platform, key)).toBe(202);
});

test('gRPC calls of one tenant do not keep another tenant out', async () => {
  const platform = await harness.platform({ connections: CONNECTIONS });
  const greedy = await platform.createKey('greedy', 'k', ['send']);
  const key = await platform.createKey('acme', 'k', ['read']);
  const ended: string[] = [];
  for (let i = 0; i < FLOOD; i++) {
    const session = connectHttp2(`http://${platform.grpcAddress}`);
    session.on('error', () => undefined).on('close', () => ended.push(`${i}`));
    harness.onClear(async () => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': '/tidemark.v1.Intake/Send',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${greedy}`,
    });
    stream.on('error', () => undefined).resume();
    await once(session, 'connect');
  }
  await eventually('most to be ended', () => ended.length >= FLOOD - CONNECTIONS);
  expect((await platform.query('sum:m{*}', Date.now() - 60_000, Date.now(), key)).errors).toEqual([]);
});
