import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { Readings } from '../testing/readings.ts';
import { KafkaCheck } from './kafka-check.ts';

test('a run that timed out while it read a file opens no connection later', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const first = Promise.withResolvers<string>();
  const texts = [first.promise, Promise.resolve('secret')];
  const sasl = { mechanism: 'PLAIN', user: 'agent', passwordFile: 'password' } as const;
  const readText = async () => texts.shift() ?? 'secret';
  const instance = { brokers: [`127.0.0.1:${port}`], sasl, timeoutMs: 1000 };
  const check = new KafkaCheck(instance, { clock: new SystemClock(), readText });
  const run = () => check.run(new Readings(), new AbortController().signal);
  await expect(run()).rejects.toThrow('no complete response within 1000 ms');
  first.resolve('secret');
  await expect(run()).rejects.toThrow();
  server.close();
  expect(connections).toBe(1);
});
