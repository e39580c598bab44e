import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { freePorts } from './free-ports.ts';

test('concurrent calls get different ports, and each port is free to listen on', async () => {
  const asked = await Promise.all(Array.from({ length: 40 }, () => freePorts(15)));
  const ports = asked.flat();
  expect(new Set(ports).size).toBe(600);
  const servers = await Promise.all(
    ports.slice(0, 50).map(
      (port) =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(port, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});
