import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { Clock } from '@tidemark/ports';
import type { FastifyInstance } from 'fastify';
import { httpApi } from './index.ts';

const clock: Clock = { wallMs: () => 0, monotonicMs: () => 0, setTimer: () => ({ cancel: () => {} }) };
const access = { tenantOf: () => 'acme' };
const LIMITS = { receiveMs: 100, urlBytes: 100 };

let app: FastifyInstance | undefined;
afterEach(async () => {
  app?.server.closeAllConnections();
  await app?.close();
});

/** An API of small limits, with a route that answers in two parts, the second of which is never sent. */
async function listen(): Promise<number> {
  const routes = (scope: FastifyInstance): void => {
    scope.post('/echo', async ({ body }) => body);
    scope.post(
      '/endless',
      { onRequest: async (_, reply) => void reply.hijack().raw.writeHead(200).write('begun') },
      () => {},
    );
  };
  app = httpApi({ access, clock, routes, limits: LIMITS });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

/** Sends bytes, and returns all that arrives until the server closes the connection. */
async function send(port: number, ...parts: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (const part of parts) {
    const before = received;
    socket.write(part);
    // The next part follows the answer to this one.
    if (part !== parts.at(-1)) while (received === before) await once(socket, 'data');
  }
  await closed;
  return received;
}

const HEAD = 'POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n';
const WHOLE = `${HEAD}\r\n{"a":"b"}`;
const LATE = {
  errors: ['request: not received in time (limit: 100 ms for its head, http.receiveMs, 100 ms, for all of it); retry'],
  code: 'unavailable',
  detail: { field: 'request', limit: 100 },
};

/** The status, the headers and the body of the last answer. */
function lastAnswer(received: string) {
  const [head, body] = received.slice(received.lastIndexOf('HTTP/1.1 ')).split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: JSON.parse(body) };
}

test.each([
  ['no byte of a request', ['']],
  ['half a head', [HEAD]],
  ['half a body', [`${HEAD}\r\n{"a"`]],
  ['half a head after another request on the connection', [WHOLE, HEAD]],
])('%s is answered with 503, which senders retry, when the time is up', async (_, parts) => {
  const answer = lastAnswer(await send(await listen(), ...parts));
  expect(answer).toMatchObject({ status: 503, body: LATE });
  expect(answer.head).toContain('retry-after: 1');
  expect(answer.head).toContain('x-ratelimit-reset: 1');
  expect(answer.head).toContain('connection: close');
});

test('a response that has begun is cut, not followed by another answer', async () => {
  const received = await send(await listen(), `${HEAD.replace('echo', 'endless')}\r\n{"a"`);
  expect(received).toContain('begun');
  expect(received.match(/HTTP\/1.1/g)).toHaveLength(1);
});

test.each([
  ['bytes that are not HTTP', '\0\0\r\n\r\n', 400, 'request: not HTTP/1.1'],
  ['an invalid header', 'GET / HTTP/1.1\r\nhost localhost\r\n\r\n', 400, 'request: not HTTP/1.1'],
  [
    'a head that is too large',
    `GET / HTTP/1.1\r\na: ${'b'.repeat(20_000)}\r\n\r\n`,
    431,
    'head: too large (limit: 16484 bytes, of which http.urlBytes, 100)',
  ],
])('%s is refused in the format of other errors', async (_, bytes, status, message) => {
  const answer = lastAnswer(await send(await listen(), bytes));
  expect(answer).toMatchObject({ status, body: { errors: [message], code: 'invalid_argument' } });
  expect(answer.head).not.toContain('retry-after');
});
