import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { Connections } from './connections.ts';
import { HttpServer } from './http-server.ts';

test('a connection that is closed for a new one is answered with the reason', async () => {
  const clock = new SystemClock();
  const server = createServer((_, response) => response.end('ok'));
  const application = {
    server,
    listen: async ({ host, port }: { host: string; port: number }) => {
      await once(server.listen(port, host), 'listening');
      return String((server.address() as AddressInfo).port);
    },
    close: async () => void server.closeAllConnections(),
  };
  const refusal = (reason: string): string => `HTTP/1.1 503 \r\n\r\n${reason}`;
  const report = { setting: 'http.connections', onProblem: () => undefined, refusal };
  const connections = new Connections(4, clock, report);
  const http = await HttpServer.listen(application, '127.0.0.1', 0, clock, undefined, connections);
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
