import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { refuseAll } from '@tidemark/access';
import { SystemClock } from '@tidemark/node-runtime';
import { parseSettings } from '@tidemark/settings';
import { Servers } from './assemble-servers.ts';

const open: Servers[] = [];
const problems: string[] = [];
let reason: string | undefined;
afterEach(async () => {
  reason = undefined;
  for (const servers of open.splice(0)) await servers.close();
});

async function listen(httpPort: number, grpcPort: number, healthPort = -1): Promise<Servers> {
  const servers = await Servers.listen(
    {
      clock: new SystemClock(),
      events: { info: (message) => problems.push(message) },
      protoFolder: fileURLToPath(new URL('../../../../../proto', import.meta.url)),
      http: { access: refuseAll('none'), notReady: () => reason },
      grpc: { messageBytes: 1024, register: () => undefined },
    },
    parseSettings({
      flags: { 'http-port': `${httpPort}`, 'grpc-port': `${grpcPort}`, 'http-health-port': `${healthPort}` },
    }),
  );
  open.push(servers);
  return servers;
}

test('a port in use is refused, and the other port is released', async () => {
  const first = await listen(0, 0);
  await expect(listen(first.httpPort, 0)).rejects.toThrow(`HTTP port ${first.httpPort} on 127.0.0.1 is in use`);
  await first.close();
  open.pop();
  const { httpPort, grpcPort } = first;
  const other = await listen(0, grpcPort);
  await expect(listen(httpPort, grpcPort)).rejects.toThrow(`gRPC port ${grpcPort} on 127.0.0.1 is in use`);
  const again = await listen(httpPort, 0);
  expect([again.httpPort, other.grpcPort]).toEqual([httpPort, grpcPort]);
});

test('health checks have a port of their own, which answers nothing else and always lets a new caller in', async () => {
  const servers = await listen(0, 0, 0);
  const url = `http://127.0.0.1:${servers.healthPort}`;
  const idle = Array.from({ length: 200 }, () => connect({ host: '127.0.0.1', port: Number(servers.healthPort) }));
  for (const socket of idle) socket.on('error', () => undefined);
  await Promise.all(idle.slice(-10).map((socket) => once(socket, 'connect')));
  const statuses = async () =>
    Promise.all(['/healthz', '/readyz', '/api/v1/status'].map(async (path) => (await fetch(url + path)).status));
  expect(await statuses()).toEqual([200, 200, 404]);
  expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(405);
  reason = 'stores read';
  expect(await statuses()).toEqual([200, 503, 404]);
  expect(await (await fetch(`${url}/readyz`)).text()).not.toContain(reason);
  await expect(listen(0, 0, servers.healthPort)).rejects.toThrow(
    `health port ${servers.healthPort} on 127.0.0.1 is in use`,
  );
  for (const socket of idle) socket.destroy();
});

const canListen = await new Promise<boolean>((resolve) => {
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ host: '::1', port: 0 }, () => server.close(() => resolve(true)));
});

(canListen ? test : test.skip)(
  'both servers answer at ::1 as well, and a port in use there is only reported',
  async () => {
    const first = await listen(0, 0);
    const answer = await fetch(`http://[::1]:${first.httpPort}//healthz/`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: '::1', port: first.grpcPort }, () => socket.end(resolve));
      socket.once('error', reject);
    });
    await first.close();
    open.pop();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen({ host: '::1', port: first.httpPort, ipv6Only: true }, resolve));
    const again = await listen(first.httpPort, 0);
    expect(again.httpPort).toBe(first.httpPort);
    expect(problems).toEqual([
      expect.stringMatching(`HTTP port ${first.httpPort} on ::1 is in use by another program`),
    ]);
    await new Promise((resolve) => other.close(resolve));
  },
);
