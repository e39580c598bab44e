import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from '@jest/globals';
import { isLoopbackAddress } from '@tidemark/access';
import { SystemClock } from '@tidemark/node-runtime';
import { addStoreService, grpcPointStore } from '@tidemark/store-rpc';
import { answerBytes } from '@tidemark/store-rpc/testing';
import { GrpcServer } from './grpc-server.ts';
import { peersOnly } from './peers-only.ts';

const protoFolder = join(fileURLToPath(new URL('../../../../', import.meta.url)), 'proto');
const clock = new SystemClock();
let server: GrpcServer | undefined;

afterEach(async () => {
  await server?.close(0);
});

async function hashAs(shown: string | undefined, key: string | undefined, isTrusted: boolean): Promise<string> {
  server = await GrpcServer.listen({
    host: '127.0.0.1',
    port: 0,
    clock,
    messageBytes: 1 << 20,
    protoFolder,
    interceptors: [peersOnly(key, (peer) => isTrusted && isLoopbackAddress(peer))],
    register: (one) =>
      addStoreService(
        one,
        'points',
        answerBytes(
          'points',
          () => ({
            aggregate: () => Promise.reject(new Error('not asked')),
            status: () => Promise.reject(new Error('not asked')),
            stateHash: async () => ({ offset: 1, hash: 'aa' }),
          }),
          { positions: () => Promise.reject(new Error('not asked')) },
        ),
      ),
  });
  const store = grpcPointStore(`127.0.0.1:${server.port}`, credentials.createInsecure(), { clock, key: shown });
  try {
    return (await store.stateHash({ partition: 0 })).hash;
  } finally {
    store.close();
  }
}

test('with a key, only callers that send it are admitted, from any address', async () => {
  expect(await hashAs('secret', 'secret', false)).toBe('aa');
  await server?.close(0);
  await expect(hashAs('Secret', 'secret', true)).rejects.toMatchObject({ code: 'unauthenticated' });
  await server?.close(0);
  await expect(hashAs(undefined, 'secret', true)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('without a key, only callers with a trusted address are admitted', async () => {
  expect(await hashAs(undefined, undefined, true)).toBe('aa');
  await server?.close(0);
  await expect(hashAs('secret', undefined, false)).rejects.toMatchObject({ code: 'unauthenticated' });
});
