import { createSocket } from 'node:dgram';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type NetConnectOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '@tidemark/ports';
import { compressSync } from 'snappy';
import { protobufBody } from '../../../libs/ingest/datadog-payload/src/metric-payload.fixture.ts';
import { writeRequest } from '../../../libs/ingest/remote-write/src/write-request.fixture.ts';
import { FuzzedPlatform } from '../platform.ts';
import { type FuzzTarget, holds } from '../target.ts';
import { MESSAGES } from './messages.ts';
import { STATSD } from './statsd.ts';

/** Inputs between two checks that the platform is ready. */
const CHECK_EVERY = 25;
const MAX_BYTES = 16 * 1024;
/** How long an answer may take, and how long a connection may stay open after its caller has closed it, ms. */
const ANSWER_MS = 10_000;
/** How long the caller waits for an answer to what may be half a request, ms. */
const QUIET_MS = 20;

/** Starts a platform while the target runs, and checks it now and then. */
function listener(
  target: Pick<FuzzTarget, 'name' | 'seeds' | 'tokens'>,
  send: (platform: FuzzedPlatform, input: Buffer) => Promise<void>,
): FuzzTarget {
  let platform: FuzzedPlatform | undefined;
  let inputs = 0;
  return {
    ...target,
    maxBytes: MAX_BYTES,
    isRemote: true,
    open: async () => {
      platform = await FuzzedPlatform.start();
      return async () => {
        await platform?.check();
        await platform?.end();
        platform = undefined;
      };
    },
    run: async (input) => {
      assert(platform !== undefined, 'the target is open');
      await send(platform, input);
      if (++inputs % CHECK_EVERY === 0) await platform.check();
    },
  };
}

function request(head: string, body: Buffer | string = '', ...headers: string[]): Buffer {
  const length = body.length === 0 ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [head, 'Host: localhost', ...length, ...headers, '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), Buffer.from(body)]);
}

const NOW_S = Math.floor(Date.now() / 1000);
const JSON_TYPE = 'Content-Type: application/json';
const V1 = JSON.stringify({ series: [{ metric: 'a', points: [[NOW_S, 1]] }] });
const FORMULA = JSON.stringify({
  data: {
    type: 'timeseries_request',
    attributes: {
      from: (NOW_S - 60) * 1000,
      to: NOW_S * 1000,
      queries: [{ name: 'a', data_source: 'metrics', query: 'sum:a{*}' }],
    },
  },
});
const WRITTEN = compressSync(writeRequest([{ labels: [['__name__', 'm']], samples: [[NOW_S * 1000, 1]] }]));
const CHUNKED = `POST /api/v1/series HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n${V1.length.toString(16)}\r\n${V1}\r\n0\r\n\r\n`;

const http = listener(
  {
    name: 'http',
    seeds: () => [
      request('GET /healthz HTTP/1.1'),
      Buffer.concat([request('GET /readyz HTTP/1.1'), request('GET /api/v1/validate HTTP/1.1', '', 'DD-API-KEY: a')]),
      request(`GET /api/v1/query?query=sum:a%7B*%7D&from=${NOW_S - 60}&to=${NOW_S} HTTP/1.1`),
      request('GET /api/v1/metrics/a%2Fb HTTP/1.1'),
      request('GET /api/v2/metrics/a/all-tags HTTP/1.1'),
      request('GET /api/tidemark/v1/tags?metric=a&limit=10 HTTP/1.1'),
      request('GET /api/tidemark/v1/status HTTP/1.1'),
      request('GET /?a=b#c HTTP/1.1', '', 'Accept-Encoding: gzip', 'Range: bytes=0-5'),
      request(
        'POST /api/tidemark/v1/query HTTP/1.1',
        JSON.stringify({ query: 'sum:a{*}', from_ms: (NOW_S - 60) * 1000, to_ms: NOW_S * 1000 }),
        JSON_TYPE,
      ),
      request('POST /api/v2/query/timeseries HTTP/1.1', FORMULA, JSON_TYPE),
      request('POST /api/v1/series HTTP/1.1', V1, JSON_TYPE),
      request('POST /api/v1/series HTTP/1.1', V1, JSON_TYPE, `Idempotency-Key: ${'a'.repeat(32)}.1.1`),
      request(
        'POST /api/v2/series HTTP/1.1',
        protobufBody([{ metric: 'a', points: [] }]),
        'Content-Type: application/x-protobuf',
      ),
      request(
        'POST /api/v1/write HTTP/1.1',
        WRITTEN,
        'Content-Type: application/x-protobuf',
        'Content-Encoding: snappy',
      ),
      request('PUT /api/v1/metrics/a HTTP/1.1', '{"type":"gauge","unit":"byte"}', JSON_TYPE),
      Buffer.from(CHUNKED),
    ],
    tokens: [
      '\r\n',
      '\r\n\r\n',
      ' HTTP/1.1',
      'GET ',
      'POST ',
      'OPTIONS * ',
      'CONNECT a:1 ',
      'Content-Length: 5\r\n',
      'Content-Length: -1\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Expect: 100-continue\r\n',
      'Upgrade: h2c\r\nConnection: Upgrade\r\n',
      'Connection: close\r\n',
      'Host: a.b\r\n',
      'Origin: http://a.b\r\n',
      'Sec-Fetch-Site: cross-site\r\n',
      'Authorization: Basic OjphOg==\r\n',
      '%',
      '%00',
      '%2e%2e/',
      '..',
      '//',
      '?',
      '&',
      '=',
      'from=',
      '__proto__',
      '[]',
      '%ff',
      '\u0000',
      'ffffffffff\r\n',
      '0\r\n\r\n',
      '/api/v1/',
      'Content-Encoding: zstd\r\n',
    ],
  },
  async ({ httpPort }, input) => {
    const answer = await exchange({ host: '127.0.0.1', port: httpPort }, input);
    // An input of several requests has several answers.
    for (const [line, status] of answer.matchAll(/^HTTP\/1\.[01] (\d+).*$/gm)) {
      holds(status !== '500', () => `answered by ${line}: ${answer.slice(0, 500)}`);
    }
    holds(answer === '' || answer.startsWith('HTTP/1.'), () => `not an answer: ${answer.slice(0, 100)}`);
  },
);

/** Sends bytes over a connection, in two parts, then closes it. Returns what was answered. */
function exchange(address: NetConnectOpts, input: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(address);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection is open ${ANSWER_MS} ms after its caller has closed it`));
    }, ANSWER_MS);
    let quiet: NodeJS.Timeout | undefined;
    const closeLater = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.end(), QUIET_MS);
    };
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      closeLater();
    });
    // A refused connection is reset when bytes of it were not read.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      clearTimeout(quiet);
      resolve(Buffer.concat(parts).toString('latin1'));
    });
    const half = input.length >> 1;
    socket.write(input.subarray(0, half));
    setImmediate(() => {
      socket.write(input.subarray(half));
      closeLater();
    });
  });
}

const FRAME_HEAD_BYTES = 5;
const METHODS = [
  'Intake/Send',
  'Intake/StateMetric',
  'Query/Run',
  'Query/Metrics',
  'Query/Metric',
  'Query/Tags',
  'Query/Status',
  'Control/ListKeys',
  'Control/Skip',
  'Process/Health',
  'Snapshots/Create',
  'PointStore/Aggregate',
  'TagStore/Match',
  'No/Such',
];
/** Statuses that a caller's input may not cause: `unknown` is that of an error without a code. */
const UNKNOWN = '2';

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const grpc = listener(
  {
    name: 'grpc',
    // The first byte chooses the method; the rest are frames of gRPC.
    seeds: async () => {
      const seeds: Buffer[] = [];
      for (const target of MESSAGES) for (const seed of await target.seeds()) seeds.push(Buffer.from(seed));
      return METHODS.flatMap((_, i) => seeds.map((seed) => Buffer.concat([Buffer.of(i), framed(seed.subarray(1))])));
    },
    tokens: [
      '\u0000\u0000\u0000\u0000\u0000',
      '\u0001\u0000\u0000\u0000\u0001a',
      '\u0000\u00ff\u00ff\u00ff\u00ff',
      '\n\u0010',
    ],
  },
  async ({ grpcPort }, input) => {
    const path = `/tidemark.v1.${METHODS[(input[0] ?? 0) % METHODS.length]}`;
    const status = await callOf(grpcPort, path, input.subarray(1));
    holds(status !== UNKNOWN, () => `${path} ends with status ${status}`);
  },
);

/** Sends frames to a method over a connection of its own. Returns the status; undefined when the connection was closed. */
async function callOf(port: number, path: string, body: Buffer): Promise<string | undefined> {
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  try {
    return await new Promise((resolve, reject) => {
      const { HTTP2_HEADER_PATH: PATH, HTTP2_HEADER_METHOD: METHOD } = constants;
      const headers = { [METHOD]: 'POST', [PATH]: path, 'content-type': 'application/grpc', te: 'trailers' };
      const stream = session.request(headers);
      let status: string | undefined;
      const timer = setTimeout(() => reject(new Error(`${path}: no status within ${ANSWER_MS} ms`)), ANSWER_MS);
      const note = (answer: Readonly<Record<string, unknown>>): void => {
        status ??= answer['grpc-status'] === undefined ? undefined : String(answer['grpc-status']);
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('error', () => undefined);
      stream.on('close', () => {
        clearTimeout(timer);
        resolve(status);
      });
      stream.resume();
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}

const http2 = listener(
  {
    name: 'grpc-connection',
    // A preface, settings, and the head of a request.
    seeds: () => [
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000', 'latin1'),
      Buffer.from(
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0003\u0001\u0005\u0000\u0000\u0000\u0001\u0082\u0086\u0084',
        'latin1',
      ),
    ],
    tokens: [
      '\u0000\u0000\u0004\u0003\u0000\u0000\u0000\u0000\u0001\u0000\u0000\u0000\u0008',
      '\u0000\u0000\u0008\u0006\u0000\u0000\u0000\u0000\u0000',
      '\u0000\u0000\u0000\u0004\u0001\u0000\u0000\u0000\u0000',
    ],
  },
  async ({ grpcPort }, input) => {
    await exchange({ host: '127.0.0.1', port: grpcPort }, input);
  },
);

const udp = listener(
  {
    name: 'dogstatsd-udp',
    seeds: () => STATSD.flatMap((target) => target.seeds() as readonly Uint8Array[]),
    tokens: STATSD[0].tokens,
  },
  async ({ dogstatsdPort }, input) => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.send(input, dogstatsdPort, '127.0.0.1', () => resolve()));
    socket.close();
    await delay(0);
  },
);

const unix = listener(
  {
    name: 'dogstatsd-unix',
    seeds: () => STATSD[1].seeds(),
    tokens: STATSD[1].tokens,
  },
  async ({ streamPath }, input) => {
    await exchange({ path: streamPath }, input);
  },
);

export const LISTENERS: readonly FuzzTarget[] = [http, grpc, http2, udp, unix];
