import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { boundPort } from './bound-port.ts';
import { requireFreePorts } from './require-free-ports.ts';

const HOST = '127.0.0.1';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function taken(port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(port, HOST);
  await once(server, 'listening');
  return boundPort(server, port);
}

test('the first port that is in use is named with its setting, and ports that were free are free again', async () => {
  const inUse = await taken();
  const free = await taken();
  servers.splice(1, 1)[0].close();
  const wanted = [
    { protocol: 'HTTP', host: HOST, port: free },
    { protocol: 'gRPC', host: HOST, port: inUse },
    { protocol: 'health', host: HOST, port: inUse },
  ] as const;
  await expect(requireFreePorts(wanted)).rejects.toMatchObject({
    ...{ code: 'unavailable', message: `gRPC port ${inUse} on ${HOST} is in use by another program` },
    detail: { setting: 'grpc.port' },
  });
  expect(await taken(free)).toBe(free);
});

test('a port that the system chooses, or that is not opened, is not checked', async () => {
  const any = { protocol: 'HTTP', host: HOST, port: 0 } as const;
  await requireFreePorts([any, { ...any, port: -1 }]);
  const free = await taken();
  servers.splice(0, 1)[0].close();
  await requireFreePorts([{ ...any, port: free }]);
});
