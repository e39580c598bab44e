import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { refuseAll } from '@tidemark/access';
import { SystemClock } from '@tidemark/node-runtime';
import { parseSettings } from '@tidemark/settings';
import { Servers } from './assemble-servers.ts';

const open: Servers[] = [];
afterEach(async () => {
  for (const servers of open.splice(0)) await servers.close();
});

async function listen(httpPort: number, grpcPort: number): Promise<Servers> {
  const servers = await Servers.listen(
    {
      clock: new SystemClock(),
      protoFolder: fileURLToPath(new URL('../../../../../proto', import.meta.url)),
      http: { access: refuseAll('none') },
      grpc: { messageBytes: 1024, register: () => undefined },
    },
    parseSettings({ flags: { 'http-port': `${httpPort}`, 'grpc-port': `${grpcPort}` } }),
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
