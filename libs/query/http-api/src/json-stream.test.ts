import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { TidemarkError, WorkSlice } from '@tidemark/ports';
import fc from 'fast-check';
import fastify, { type FastifyInstance } from 'fastify';
import { JsonList, jsonPieces, sendJson } from './json-stream.ts';

const apps: FastifyInstance[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** A server that answers with a list of so many elements; `made` says how many it has asked for. */
async function serve(elements: number, signal?: AbortSignal) {
  const app = fastify({ forceCloseConnections: true });
  apps.push(app);
  const made = { count: 0 };
  let sent: Promise<unknown> = Promise.resolve();
  let isBlocked = () => false;
  app.get('/', (_, reply) => {
    const list = JsonList.of(Array(elements).keys(), (i) => {
      made.count++;
      return { i, text: 'x'.repeat(1000) };
    });
    const sending = sendJson(reply, { before: 1, list, after: null }, new WorkSlice(undefined, signal));
    sent = sending;
    isBlocked = () => reply.raw.writableNeedDrain && (reply.raw.socket?.writableNeedDrain ?? false);
    return sending;
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, made, sent: () => sent, isBlocked: () => isBlocked() };
}

test('pieces are what JSON.stringify writes, for any lists within any objects', () => {
  const json = fc.jsonValue();
  const nested = fc.record({ a: json, lists: fc.array(fc.array(json)), deep: fc.record({ list: fc.array(json) }) });
  fc.assert(
    fc.property(nested, ({ a, lists, deep }) => {
      const streamed = {
        a,
        lists: JsonList.of(lists, (list) => new JsonList(list)),
        deep: { list: new JsonList(deep.list) },
      };
      expect([...jsonPieces({ ...streamed, none: undefined })].join('')).toBe(JSON.stringify({ a, lists, deep }));
    }),
  );
});

test('a short answer is sent whole, with its length, and a long one is the same in parts', async () => {
  for (const elements of [0, 3, 5000]) {
    const { url } = await serve(elements);
    const response = await fetch(url);
    expect(response.headers.has('content-length')).toBe(elements < 10);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { list } = (await response.json()) as { list: { i: number }[] };
    expect(list.map(({ i }) => i)).toEqual([...Array(elements).keys()]);
  }
});

test('an answer is made no faster than it is read, and no further when its caller has gone', async () => {
  const elements = 100_000;
  const { url, made, sent, isBlocked } = await serve(elements);
  const call = request(url).end();
  const [response] = await once(call, 'response');
  response.pause();
  // The caller reads nothing: what fits into the buffers of both ends is made, and then nothing.
  while (!isBlocked()) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(made.count).toBeGreaterThan(50);
  expect(made.count).toBeLessThan(elements / 2);
  call.destroy();
  response.on('error', () => undefined);
  await sent();
  expect(made.count).toBeLessThan(elements / 2);
});

test('an answer whose time is up is broken off, and is not valid JSON', async () => {
  const abort = new AbortController();
  const { url, made, sent } = await serve(100_000, abort.signal);
  const response = await fetch(url);
  expect(response.status).toBe(200);
  abort.abort(new TidemarkError('deadline_exceeded', 'the query took more than 1 ms'));
  await expect(response.text()).rejects.toThrow();
  await sent();
  expect(made.count).toBeLessThan(100_000);
});
