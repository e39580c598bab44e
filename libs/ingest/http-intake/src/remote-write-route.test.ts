import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { IntakeRequest, RequestResult } from '@tidemark/intake';
import { SystemRandom } from '@tidemark/node-runtime';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import Fastify, { type FastifyInstance } from 'fastify';
import { compressSync } from 'snappy';
import { writeRequest } from '../../remote-write/src/write-request.fixture.ts';
import { BodyRoom } from './body-room.ts';
import { remoteWriteRoute } from './remote-write-route.ts';

const ACKED: RequestResult = { outcome: 'acked', acceptedPoints: 1, rejections: [], retryAfterMs: 0 };
const GOOD = compressSync(writeRequest([{ labels: [['__name__', 'm']], samples: [[1, 2]] }]));
const HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
  authorization: `Basic ${Buffer.from('prometheus:sender').toString('base64')}`,
};
const LIMITS = { bodyBytes: 2000, rawBytes: 5000 };

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** Sets up the route with an intake that returns configured results, which are hard to cause in a real one. */
function setUp(send: () => Promise<RequestResult> = async () => ACKED, room = new BodyRoom()) {
  const received: string[] = [];
  const errors: string[] = [];
  const scope = {};
  const open = (tenant: string) => {
    const request: Pick<
      IntakeRequest,
      'scope' | 'maxPoints' | 'series' | 'isRefused' | 'columns' | 'reject' | 'leaveOut' | 'send'
    > = {
      scope,
      maxPoints: 1000,
      series: ({ metric, kind }) => received.push(`${tenant} ${metric} ${kind}`),
      isRefused: () => false,
      columns: () => {},
      reject: () => {},
      leaveOut: () => {},
      send,
    };
    return request as IntakeRequest;
  };
  const app = Fastify();
  app.register(async (own) =>
    remoteWriteRoute(own, {
      intake: {
        open,
        receive: (_tenant, decode) => decode(),
        countError: (tenant, error) => {
          errors.push(`${tenant ?? 'unknown'} ${isTidemarkError(error) ? (error.detail.reason ?? error.code) : error}`);
        },
      },
      random: new SystemRandom(),
      yieldTurn: async () => undefined,
      room,
      tenantOf: (_request, scopeName, otherKey) => {
        if (otherKey === 'sender' && scopeName === 'send') return 'acme';
        if (otherKey === 'reader') throw new TidemarkError('permission_denied', `it lacks ${scopeName}`);
        throw new TidemarkError('unauthenticated', 'the key is not known');
      },
      limits: LIMITS,
    }),
  );
  apps.push(app);
  const post = async (payload: Buffer | Readable, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/write',
      headers: { ...HEADERS, ...headers },
      payload,
    });
    return { status: answer.statusCode, text: answer.body, retryAfter: answer.headers['retry-after'] };
  };
  return { app, post, received, errors, room };
}

const rejection = (reason: string, points: number) => ({
  reason,
  field: 'timestamp',
  limit: '10 ms',
  points,
  message: `timestamp: ${reason} (limit: 10 ms)`,
});

describe('write requests', () => {
  test('a good request is answered by 204 without a body', async () => {
    const { post, received, errors, room } = setUp();
    expect(await post(GOOD)).toEqual({ status: 204, text: '', retryAfter: undefined });
    expect([received, errors, room.bytes]).toEqual([['acme m reading'], [], 0]);
  });

  test.each<[string, RequestResult, { status: number; text: string; retryAfter?: string }]>([
    [
      'a request with refused points is answered by 400, which says what is stored and what is not',
      { ...ACKED, acceptedPoints: 7, rejections: [rejection('timestamp_behind', 3), rejection('x', 1)] },
      {
        status: 400,
        text:
          '7 points stored; refused: 3 × timestamp: timestamp_behind (limit: 10 ms); ' +
          '1 × timestamp: x (limit: 10 ms)\n',
      },
    ],
    [
      'a request with only refused points is answered by 400',
      { ...ACKED, outcome: 'refused', acceptedPoints: 0, rejections: [rejection('value_infinite', 3)] },
      { status: 400, text: '0 points stored; refused: 3 × timestamp: value_infinite (limit: 10 ms)\n' },
    ],
    [
      'a request with too many points is answered by 413',
      { ...ACKED, outcome: 'refused', acceptedPoints: 0, rejections: [rejection('request_too_large', 9)] },
      { status: 413, text: '0 points stored; refused: 9 × timestamp: request_too_large (limit: 10 ms)\n' },
    ],
    [
      'a request that the log could not store is answered by 503, with the time to retry',
      { outcome: 'retry', acceptedPoints: 0, rejections: [rejection('log_full', 0)], retryAfterMs: 1500 },
      { status: 503, text: 'timestamp: log_full (limit: 10 ms)\n', retryAfter: '2' },
    ],
    [
      'a request of a tenant with too many pending ones is answered by 429, with the time to retry',
      { outcome: 'retry', acceptedPoints: 0, rejections: [rejection('tenant_pending', 0)], retryAfterMs: 1000 },
      { status: 429, text: 'timestamp: tenant_pending (limit: 10 ms)\n', retryAfter: '1' },
    ],
  ])('%s', async (_, result, expected) => {
    const { post } = setUp(async () => result);
    expect(await post(GOOD)).toEqual({ retryAfter: undefined, ...expected });
  });

  test.each<[status: number, reason: string, headers: Record<string, string>, body: Buffer, text: RegExp]>([
    [401, 'unknown unauthenticated', { authorization: 'Basic !' }, GOOD, /the key is not known/],
    [
      401,
      'unknown unauthenticated',
      { authorization: `Basic ${Buffer.from('sender').toString('base64')}` },
      GOOD,
      /key/,
    ],
    [
      403,
      'unknown permission_denied',
      { authorization: `Basic ${Buffer.from('a:reader').toString('base64')}` },
      GOOD,
      /send/,
    ],
    [
      415,
      'acme content_type',
      { 'content-type': 'text/plain' },
      GOOD,
      /content-type: text\/plain \(limit: application/,
    ],
    [
      415,
      'acme content_type',
      { 'content-type': 'application/x-protobuf; proto=io.prometheus.write.v2.Request' },
      GOOD,
      /1\.0\); set protobuf_message: prometheus\.WriteRequest in remote_write/,
    ],
    [415, 'acme content_encoding', { 'content-encoding': 'gzip' }, GOOD, /content-encoding: gzip \(limit: snappy\)/],
    [400, 'acme protocol_version', { 'x-prometheus-remote-write-version': '2.0.0' }, GOOD, /2\.0\.0 \(limit: 0\.1\.0/],
    [
      413,
      'acme body_too_large',
      {},
      Buffer.alloc(2001),
      /bodyBytes: the body is too large \(limit: remoteWrite.bodyBytes, 2000\)/,
    ],
    [
      413,
      'acme raw_too_large',
      {},
      compressSync(Buffer.alloc(5001)),
      /rawBytes: 5001 bytes uncompressed \(limit: remoteWrite.rawBytes, 5000\)/,
    ],
    [
      413,
      'acme request_too_large',
      {},
      compressSync(writeRequest([{ labels: [], samples: Array.from({ length: 1100 }, () => [0, 0]) }])),
      /requestPoints: too many samples in one request \(limit: 1000 points\)/,
    ],
    [400, 'acme snappy_malformed', {}, Buffer.from('no snappy'), /^snappy: /],
    [400, 'acme snappy_malformed', {}, Buffer.alloc(0), /^snappy: /],
    [400, 'acme protobuf_malformed', {}, compressSync(Buffer.from('no protobuf')), /^protobuf: /],
  ])('a request is answered by %i and counted as %s', async (status, reason, headers, body, text) => {
    const { post, errors, received, room } = setUp();
    const answer = await post(body, headers);
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
    expect(errors).toEqual([reason]);
    expect([received, room.bytes]).toEqual([[], 0]);
  });

  test('a body of undeclared length that gets too large is answered by 413', async () => {
    const { post, errors, room } = setUp();
    const { status, text } = await post(Readable.from([Buffer.alloc(1500), Buffer.alloc(501), Buffer.alloc(1)]));
    expect([status, text]).toEqual([413, expect.stringMatching(/bodyBytes: the body is too large/)]);
    expect([errors, room.bytes]).toEqual([['acme body_too_large'], 0]);
    expect((await post(Readable.from([GOOD.subarray(0, 5), GOOD.subarray(5)]))).status).toBe(204);
  });

  test('a content type may name the message of version 1', async () => {
    const { post } = setUp();
    expect(await post(GOOD, { 'content-type': 'application/x-protobuf;proto=prometheus.WriteRequest' })).toMatchObject({
      status: 204,
    });
  });

  test('an internal error is answered by 500 without details', async () => {
    const { post } = setUp(async () => {
      throw new Error('a secret');
    });
    expect(await post(GOOD)).toEqual({ status: 500, text: 'internal error\n', retryAfter: undefined });
  });
});

describe('room for bodies', () => {
  test('room is held until a body is decoded, and released when the sender closes the connection', async () => {
    const room = new BodyRoom({ bodiesBytes: 1500, bodiesBytesPerTenant: 1500 });
    const { app, post } = setUp(undefined, room);
    await app.listen({ host: '127.0.0.1', port: 0 });
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const slow = connect(port, '127.0.0.1');
    const head = Object.entries({ ...HEADERS, host: 'localhost', 'content-length': '1400' });
    slow.write(`POST /api/v1/write HTTP/1.1\r\n${head.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\nabc`);
    await until(() => room.bytes === 1400);
    expect(await post(Buffer.alloc(200))).toMatchObject({ status: 429, retryAfter: '1' });
    slow.destroy();
    await until(() => room.bytes === 0);
    expect(await post(GOOD)).toMatchObject({ status: 204 });
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
