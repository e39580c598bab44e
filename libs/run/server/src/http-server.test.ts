import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { Connections } from './connections.ts';
import { HttpServer } from './http-server.ts';

test('a connection without a key is kept for as long as its answers say', async () => {
  const clock = new SystemClock();
  const connections = new Connections(4, clock);
  const server = createServer(({ url, socket }, response) => {
    if (url === '/known') connections.admit(socket, 'acme');
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
  });
  server.keepAliveTimeout = 72_000;
  const http = await HttpServer.listen(applicationOf(server), '127.0.0.1', 0, clock, undefined, connections);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const kept = async (path: string, headers = {}) => {
    const request = get({ port: http.port, host: '127.0.0.1', path, agent, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    return [response.headers.connection, response.headers['keep-alive']];
  };
  expect(await kept('/healthz')).toEqual(['keep-alive', 'timeout=10']);
  expect(await kept('/known')).toEqual(['keep-alive', 'timeout=10']);
  expect(await kept('/healthz')).toEqual(['keep-alive', 'timeout=72']);
  expect(await kept('/healthz', { connection: 'close' })).toEqual(['close', undefined]);
  agent.destroy();
  server.close();
  await http.close(100);
});

test('a connection that is closed for a new one is answered with the reason', async () => {
  const clock = new SystemClock();
  const server = createServer((_, response) => response.end('ok'));
  const refusal = (reason: string): string => `HTTP/1.1 503 \r\n\r\n${reason}`;
  const report = { setting: 'http.connections', onProblem: () => undefined, refusal };
  const connections = new Connections(4, clock, report);
  const http = await HttpServer.listen(applicationOf(server), '127.0.0.1', 0, clock, undefined, connections);
  const older = connect(http.port, '127.0.0.1');
  let answer = '';
  older.on('data', (data) => {
    answer += data.toString();
  });
  await once(older, 'connect');
  const newer = connect(http.port, '127.0.0.1');
  await once(older, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 503 \r\n\r\n.*limit: 1, a fourth of http\.connections 4/);
  newer.destroy();
  server.close();
  await http.close(100);
});

function applicationOf(server: Server) {
  return {
    server,
    listen: async ({ host, port }: { host: string; port: number }) => {
      await once(server.listen(port, host), 'listening');
      return String((server.address() as AddressInfo).port);
    },
    close: async () => void server.closeAllConnections(),
  };
}
