import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type handleBidiStreamingCall, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { BatchResult_Outcome, IntakeService, type SendReply, type SendRequest } from '@tidemark/contract';
import { evenMap, packSlots } from '@tidemark/model';
import { connect } from './connect.ts';

async function serve(
  send: handleBidiStreamingCall<SendRequest, SendReply>,
): Promise<{ server: Server; address: string }> {
  const server = new Server();
  server.addService(IntakeService, { send });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { server, address: `127.0.0.1:${port}` };
}

test('points of a short program arrive over gRPC, with the key', async () => {
  const keys: string[] = [];
  let batches = 0;
  const { server, address } = await serve((call) => {
    keys.push(String(call.metadata.get('authorization')[0]));
    call.on('error', () => {});
    call.on('data', ({ message }: SendRequest) => {
      if (message?.$case === 'hello') {
        const map = evenMap(4);
        const value = {
          ...{ intakeSession: Buffer.alloc(16), window: 4, maxMessageBytes: 1 << 20, tenant: 'acme' },
          map: { epoch: map.epoch, partitions: map.partitions, slots: packSlots(map) },
        };
        call.write({ message: { $case: 'greeting', value } });
      } else if (message?.$case === 'definitions') {
        const { mapEpoch, partition } = message.value;
        call.write({ message: { $case: 'definitions', value: { mapEpoch, partition, refused: [] } } });
      } else if (message?.$case === 'batch') {
        batches++;
        const { sequence } = message.value;
        const value = {
          sequence,
          outcome: BatchResult_Outcome.ACKED,
          acceptedPoints: 3,
          rejections: [],
          retryAfterMs: 0,
        };
        call.write({ message: { $case: 'batch', value } });
      }
    });
  });
  try {
    const client = await connect({ address, name: 'my-app', key: 'secret' });
    client.gauge('queue.depth', 12, ['queue:mail']);
    client.count('hits');
    client.distribution('latency', 0.12);
    await client.close();
    expect(client.stats()).toMatchObject({ ackedPoints: 3, pendingPoints: 0 });
    expect(batches).toBe(1);
    expect(keys).toEqual(['Bearer secret']);
  } finally {
    server.forceShutdown();
  }
});

test("a refused stream is the client's last error, and the client continues to retry", async () => {
  let calls = 0;
  const { server, address } = await serve((call) => {
    calls++;
    call.emit('error', { code: status.UNAUTHENTICATED, details: 'no such key', metadata: new Metadata() });
  });
  try {
    const client = await connect({ address, name: 'my-app', backoffMs: 1, maxBackoffMs: 5, closeTimeoutMs: 300 });
    client.gauge('m', 1);
    client.flush();
    // A second call succeeds. The time limit of the test bounds this.
    while (calls < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.close();
    expect(client.lastError).toMatchObject({ code: 'unauthenticated' });
    expect(calls).toBeGreaterThan(1);
    expect(client.stats()).toMatchObject({ droppedPoints: 1, pendingPoints: 0 });
  } finally {
    server.forceShutdown();
  }
});

test('the port of the page instead of that of gRPC is named as the reason', async () => {
  const page = createServer((_, response) => response.end('page'));
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  const { port } = page.address() as AddressInfo;
  try {
    const client = await connect({ address: `127.0.0.1:${port}`, name: 'my-app', backoffMs: 1, closeTimeoutMs: 100 });
    client.gauge('m', 1);
    while (client.lastError === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.close();
    expect(client.lastError.message).toMatch(/^intake 127\.0\.0\.1:\d+: it does not speak gRPC; .* 4271/);
  } finally {
    page.close();
  }
});
