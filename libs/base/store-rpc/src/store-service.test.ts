import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from '@jest/globals';
import { AggregateReply, AggregateRequest, PointStateHashReply } from '@tidemark/contract';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { grpcPointStore } from './grpc-store.ts';
import { requestedPartition } from './sliced-call.ts';
import { type AnswerBytes, addStoreService } from './store-service.ts';

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

async function serve(answer: AnswerBytes): Promise<ReturnType<typeof grpcPointStore>> {
  const server = new Server();
  addStoreService(server, 'points', answer);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  ends.push(() => server.forceShutdown());
  const store = grpcPointStore(`127.0.0.1:${port}`, credentials.createInsecure(), { clock });
  ends.push(() => store.close());
  return store;
}

test('a service passes the bytes of a request on unchanged, and returns the bytes of the reply unchanged', async () => {
  const request = AggregateRequest.fromPartial({ partition: 7, metricId: Buffer.alloc(16, 1), maxPoints: 5 });
  const reply = AggregateReply.fromPartial({ offset: 12, pointsRead: 4 });
  const asked: [string, Uint8Array][] = [];
  const store = await serve(async (method, bytes) => {
    asked.push([method, Uint8Array.from(bytes)]);
    // A reply from another thread is a view and not a Buffer.
    return new Uint8Array([0, ...AggregateReply.encode(reply).finish()]).subarray(1);
  });
  expect(await store.aggregate(request)).toEqual(reply);
  expect(asked).toEqual([['aggregate', AggregateRequest.encode(request).finish()]]);
});

test('an error of the store keeps code, message and detail', async () => {
  const store = await serve(async (_, request) => {
    throw new TidemarkError('not_found', `partition ${requestedPartition(request).partition} is not of this process`, {
      limit: 1,
    });
  });
  await expect(store.status({ partition: 9 })).rejects.toMatchObject({
    ...{ code: 'not_found', message: 'partition 9 is not of this process', detail: { limit: 1 } },
  });
});

test('every method of the client calls the service under its own name', async () => {
  const asked: string[] = [];
  const store = await serve(async (method) => {
    asked.push(method);
    return PointStateHashReply.encode({ offset: 0, hash: '' }).finish();
  });
  await store.aggregate(AggregateRequest.create());
  await store.status({ partition: 0 });
  await store.stateHash({ partition: 0 });
  await store.positions();
  expect(asked).toEqual(['aggregate', 'status', 'stateHash', 'positions']);
});
