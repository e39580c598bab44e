import * as contract from '@tidemark/contract';
import { protobufGrowth } from '../growth.ts';
import { type FuzzTarget, holds } from '../target.ts';
import { PROTOBUF_TAGS } from '../tokens.ts';

/** What a service of the contract says of one method. */
interface Method {
  readonly path: string;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly requestSerialize: (message: never) => Buffer;
}

const SESSION = Buffer.alloc(16, 7);
const SERIES = {
  metric: 'http.requests',
  kind: contract.Kind.COUNT,
  tags: ['env:prod', 'host:a'],
  intervalMs: 10_000,
};

interface MessageType<T> {
  readonly fromPartial: (fields: never) => T;
  readonly encode: (message: T) => { finish(): Uint8Array };
}

function encoded<T>(type: MessageType<T>, ...fields: readonly object[]): Buffer[] {
  return fields.map((one) => Buffer.from(type.encode(type.fromPartial(one as never)).finish()));
}

const FILTER = { filter: { $case: 'and', value: { filters: [{ filter: { $case: 'tag', value: 'a:b' } }] } } };
/** Requests with content, by path; the others begin with an empty message. */
const REQUESTS: Readonly<Record<string, readonly Buffer[]>> = {
  '/tidemark.v1.Intake/Send': encoded(
    contract.SendRequest,
    { message: { $case: 'hello', value: { clientSession: SESSION, clientName: 'a', flushIntervalMs: 1000 } } },
    { message: { $case: 'definitions', value: { mapEpoch: 1, partition: 1, series: [SERIES, SERIES] } } },
    {
      message: {
        $case: 'batch',
        value: { sequence: 1, mapEpoch: 1, frontierMs: 5, shares: [{ partition: 1, points: SESSION }], stampedMs: 7 },
      },
    },
    {
      message: {
        $case: 'refusals',
        value: {
          refusals: [{ reason: 'a', count: 1, example: 'b' }],
          sources: [{ name: 'c', problem: 'd', sinceMs: 1 }],
        },
      },
    },
    { message: { $case: 'statements', value: { metrics: [{ metric: 'a', statement: { unit: 'byte' } }] } } },
  ),
  '/tidemark.v1.Query/Run': encoded(contract.QueryRequest, {
    query: 'sum:a{$x}',
    fromMs: 1,
    toMs: 2,
    variables: { x: 'env:prod' },
    variableLists: { lists: { y: { values: ['a', 'b'] } } },
  }),
  '/tidemark.v1.Query/Metrics': encoded(contract.MetricsRequest, { contains: 'a', fromMs: 1, limit: 10 }),
  '/tidemark.v1.Query/Tags': encoded(contract.TagsRequest, { metric: 'a', fromMs: 1, toMs: 2, limit: 10 }),
  '/tidemark.v1.Control/CreateKey': encoded(contract.CreateKeyRequest, { tenant: 'a', name: 'b', scopes: ['send'] }),
  '/tidemark.v1.Control/Skip': encoded(contract.SkipRequest, { topic: 'points', partition: 1, offset: 2, reason: 'a' }),
  '/tidemark.v1.TagStore/Match': encoded(contract.MatchRequest, {
    tenant: 'a',
    metric: 'b',
    filter: FILTER,
    groupBy: ['c'],
  }),
  '/tidemark.v1.PointStore/Aggregate': encoded(contract.AggregateRequest, {
    metricId: SESSION,
    toMs: 10,
    stepMs: 5,
    groups: [{ digest: SESSION, series: SESSION }],
  }),
};

/** Messages of a client's stream. */
export function intakeRequests(): readonly Buffer[] {
  return REQUESTS['/tidemark.v1.Intake/Send'];
}

/** Field numbers with each wire type, nested groups, and long lengths. */
const TOKENS = [
  ...PROTOBUF_TAGS,
  '\u000b',
  '\u000b'.repeat(64),
  '\u0000',
  'z\u0000',
  '\u0005aaaa',
  '\u0001aaaaaaaa',
  '\n\t__proto__',
];

function methods(): Method[] {
  return Object.entries(contract)
    .filter(([name]) => name.endsWith('Service'))
    .flatMap(([, service]) => Object.values(service as unknown as Record<string, Method>));
}

/** Decodes a request as the server does: an error of the decoder becomes a status, of any class. */
function decoded({ requestDeserialize }: Method, input: Buffer): unknown {
  try {
    return requestDeserialize(input);
  } catch (error) {
    holds(error instanceof Error, () => 'an error that is none is thrown');
    return undefined;
  }
}

function messageTarget(name: string, chosen: readonly Method[]): FuzzTarget {
  return {
    name,
    // The first byte chooses the method.
    seeds: () =>
      chosen.flatMap((method, i) => {
        const known = REQUESTS[method.path] ?? [];
        return [Buffer.alloc(0), ...known].map((one) => Buffer.concat([Buffer.of(i), one]));
      }),
    tokens: TOKENS,
    growth: (input, random) => protobufGrowth(input, random, 1),
    run: (input) => {
      const method = chosen[(input[0] ?? 0) % chosen.length];
      const message = decoded(method, input.subarray(1));
      if (message === undefined) return;
      const bytes = method.requestSerialize(message as never);
      const again = method.requestSerialize(decoded(method, bytes) as never);
      holds(bytes.equals(again), () => `${method.path}: a decoded request encodes to another`);
    },
  };
}

const all = methods();

export const MESSAGES: readonly FuzzTarget[] = [
  messageTarget(
    'grpc-intake',
    all.filter(({ path }) => path.includes('.Intake/')),
  ),
  messageTarget(
    'grpc-query',
    all.filter(({ path }) => /\.(Query|Monitor)\//.test(path)),
  ),
  messageTarget(
    'grpc-stores',
    all.filter(({ path }) => /\.(PointStore|TagStore|Aggregator)\//.test(path)),
  ),
  messageTarget(
    'grpc-control',
    all.filter(({ path }) => /\.(Control|Process)\//.test(path)),
  ),
];
