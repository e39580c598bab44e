import { gzipSync } from 'node:zlib';
import { credentials, Metadata } from '@grpc/grpc-js';
import { QueryClient } from '@tidemark/contract';
import { runQuery } from '@tidemark/rpc';
import { compressSync } from 'snappy';
import { protobufBody } from '../../libs/ingest/datadog-payload/src/metric-payload.fixture.ts';
import { writeRequest } from '../../libs/ingest/remote-write/src/write-request.fixture.ts';
import type { Attack, Target } from './attack.ts';
import { requestUntil } from './request.ts';

/** Bodies and queries that are right, and as costly as the limits allow. */
export const heavy: Attack = async (target, signal) => {
  await Promise.all([sendBodies(target, signal), queryOverHttp(target, signal), queryOverGrpc(target, signal)]);
};

const POINTS = 200_000;
const MANY_SERIES = 60_000;
const GROUPS = 2000;
const STEPS = 1800;

async function sendBodies({ httpPort, key }: Target, signal: AbortSignal): Promise<void> {
  const bodies = costlyBodies(Math.floor(Date.now() / 1000));
  const send = async (i: number) => {
    const { path, headers, body } = bodies[i % bodies.length];
    await requestUntil(signal, { httpPort, path, headers: { ...headers, 'dd-api-key': key }, body });
  };
  const loop = async (first: number) => {
    for (let i = first; !signal.aborted; i++) await send(i);
  };
  await Promise.all([loop(0), loop(Math.floor(bodies.length / 2))]);
}

interface Body {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function costlyBodies(nowS: number): Body[] {
  const json = (path: string, value: unknown): Body => ({
    path,
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(typeof value === 'string' ? value : JSON.stringify(value), { level: 1 }),
  });
  const points = Array.from({ length: POINTS }, (_, i) => ({ timestamp: nowS - (i % 3000), value: i / 7 }));
  const wide = Array.from({ length: GROUPS }, (_, i) => {
    return { metric: 'heavy.wide', type: 3, points: [{ timestamp: nowS, value: i }], tags: [`id:${i}`] };
  });
  const many = Array.from({ length: MANY_SERIES }, (_, i) => {
    return { metric: 'heavy.many', type: 3, points: [{ timestamp: nowS, value: i }], tags: [`id:${i % 1000}`] };
  });
  const checks = Array.from({ length: 90_000 }, () => ({ check: 'a', host_name: 'h', status: 0, timestamp: nowS }));
  const distributions = Array.from({ length: 40_000 }, (_, i) => ({
    ...{ metric: 'heavy.distribution', points: [[nowS, [i, i + 1]]], tags: [`id:${i % 100}`] },
  }));
  const protobuf = { 'content-type': 'application/x-protobuf' };
  const samples = points.map(({ timestamp, value }) => [timestamp * 1000, value] as const);
  return [
    json('/api/v2/series', { series: wide }),
    json('/api/v2/series', { series: [{ metric: 'heavy.long', type: 3, points }] }),
    json('/api/v2/series', `{"series":[${' '.repeat(8_000_000)}]}`),
    json('/api/v2/series', { series: many }),
    json('/api/v2/series', { series: [{ metric: `heavy.${'x'.repeat(8_000_000)}`, points: points.slice(0, 1) }] }),
    json('/api/v1/series', { series: [{ metric: 'heavy.v1', points: samples.map(([ms, v]) => [ms / 1000, v]) }] }),
    json('/api/v1/check_run', checks),
    json('/api/v1/distribution_points', { series: distributions }),
    {
      ...{ path: '/api/v2/series', headers: { ...protobuf, 'content-encoding': 'gzip' } },
      body: gzipSync(protobufBody([{ metric: 'heavy.protobuf', type: 3, points }]), { level: 1 }),
    },
    {
      ...{ path: '/api/v1/write', headers: { ...protobuf, 'content-encoding': 'snappy' } },
      body: compressSync(writeRequest([{ labels: [['__name__', 'heavy_write']], samples }])),
    },
  ];
}

function wideQuery(): { query: string; from_ms: number; to_ms: number } {
  const toMs = Date.now();
  return { query: 'default_zero(avg:heavy.wide{*} by {id}.rollup(1))', from_ms: toMs - STEPS * 1000, to_ms: toMs };
}

async function queryOverHttp({ httpPort, key }: Target, signal: AbortSignal): Promise<void> {
  const headers = { 'content-type': 'application/json', 'dd-api-key': key };
  while (!signal.aborted) {
    const body = Buffer.from(JSON.stringify(wideQuery()));
    await requestUntil(signal, { httpPort, path: '/api/tidemark/v1/query', headers, body });
  }
}

async function queryOverGrpc({ grpcPort, key }: Target, signal: AbortSignal): Promise<void> {
  const client = new QueryClient(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  while (!signal.aborted) {
    const { query, from_ms: fromMs, to_ms: toMs } = wideQuery();
    const answer = runQuery(() => client.run({ query, fromMs, toMs, variables: {} }, metadata), signal);
    // A refusal is as good as an answer.
    await answer.catch(() => undefined);
  }
  client.close();
}
