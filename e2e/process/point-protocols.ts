import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '@tidemark/client';
import { Kind } from '@tidemark/contract';
import { compressSync } from 'snappy';
import { writeRequest } from '../../libs/ingest/remote-write/src/write-request.fixture.ts';
import { AgentUnderTest } from './agent-under-test.ts';
import { eventually } from './eventually.ts';
import { IntakePeer, shareOf } from './intake-peer.ts';
import type { PlatformUnderTest } from './platform-under-test.ts';
import type { TestHarness } from './test-harness.ts';

/** A series with its points, as every protocol can send it. */
export interface SentSeries {
  readonly metric: string;
  /** `total`: a count, or a counter where the protocol has no counts. `counter`: only for protocols that have it. */
  readonly kind: 'gauge' | 'counter' | 'total';
  readonly tags: readonly (readonly [key: string, value: string])[];
  /** Times are whole seconds, in ms since 1970. */
  readonly points: readonly (readonly [timeMs: number, value: number])[];
}

/** A way into the platform. */
export interface Protocol {
  readonly name: string;
  send(series: readonly SentSeries[]): Promise<void>;
  /** Reasons of refusals so far, wherever on the way it was refused. */
  reasons(): Promise<ReadonlySet<string>>;
}

export const PROTOCOL_NAMES = [
  'gRPC stream',
  'client library',
  'Datadog',
  'remote write',
  'DogStatsD',
  'scrape',
] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

/** Opens every way into a platform, with an agent of its own for DogStatsD and for the scrape. */
export async function openProtocols(
  harness: TestHarness,
  platform: PlatformUnderTest,
): Promise<Record<ProtocolName, Protocol>> {
  const protocols = [
    await streamProtocol(harness, platform),
    clientProtocol(await harness.client(platform.grpcAddress, { name: 'library' })),
    httpProtocol('Datadog', platform, '/api/v2/series', 'application/json', datadogBody),
    httpProtocol('remote write', platform, '/api/v1/write', 'application/x-protobuf', remoteWriteBody),
    await statsdProtocol(harness, platform),
    await scrapeProtocol(harness, platform),
  ];
  return Object.fromEntries(protocols.map((protocol) => [protocol.name, protocol])) as Record<ProtocolName, Protocol>;
}

const KINDS = { gauge: Kind.GAUGE, counter: Kind.COUNTER, total: Kind.COUNT } as const;

const tagOf = ([key, value]: readonly [string, string]): string => `${key}:${value}`;

async function streamProtocol(harness: TestHarness, platform: PlatformUnderTest): Promise<Protocol> {
  const reasons = new Set<string>();
  const send = async (all: readonly SentSeries[]): Promise<void> => {
    for (const { metric, kind, tags, points } of all) {
      const peer = await IntakePeer.greeted(platform.grpcAddress);
      harness.onClear(async () => peer.close());
      const partition = peer.partitionOf(metric);
      peer.define(partition, [{ metric, kind: KINDS[kind], tags: tags.map(tagOf) }]);
      const share = shareOf(points.map(([timeMs, value]) => [0, timeMs, value]));
      for (const { reason } of (await peer.batch([{ partition, points: share }])).rejections) reasons.add(reason);
    }
  };
  return { name: 'gRPC stream', send, reasons: async () => reasons };
}

function clientProtocol(client: Client): Protocol {
  return {
    name: 'client library',
    async send(all) {
      for (const { metric, kind, tags, points } of all) {
        for (const [timeMs, value] of points) {
          client[kind === 'total' ? 'count' : kind](metric, value, tags.map(tagOf), timeMs);
        }
      }
      await client.flush();
      await client.settled();
    },
    reasons: async () => new Set(Object.keys(client.stats().reasons)),
  };
}

/** A protocol of requests, one a series, whose answers name what they refused. */
function httpProtocol(
  name: ProtocolName,
  platform: PlatformUnderTest,
  path: string,
  type: string,
  bodyOf: (series: SentSeries) => string | Uint8Array<ArrayBuffer>,
): Protocol {
  const reasons = new Set<string>();
  const coding: Record<string, string> = type === 'application/json' ? {} : { 'content-encoding': 'snappy' };
  const send = async (all: readonly SentSeries[]): Promise<void> => {
    for (const series of all) {
      const headers = { 'content-type': type, ...coding };
      const answer = await fetch(platform.httpUrl + path, { method: 'POST', headers, body: bodyOf(series) });
      for (const [, reason] of (await answer.text()).matchAll(/: (\w+) \(limit/g)) reasons.add(reason);
    }
  };
  return { name, send, reasons: async () => reasons };
}

function datadogBody({ metric, kind, tags, points }: SentSeries): string {
  // JSON has no word for an infinity; a number beyond the largest is read as one.
  const numbers = points.map(([timeMs, value]) => ({
    timestamp: timeMs / 1000,
    value: Number.isFinite(value) ? value : `${Math.sign(value)}e999`,
  }));
  const series = [{ metric, type: kind === 'gauge' ? 3 : 1, tags: tags.map(tagOf), points: numbers }];
  return JSON.stringify({ series }).replaceAll(/"(-?1e999)"/g, '$1');
}

function remoteWriteBody({ metric, kind, tags, points }: SentSeries): Uint8Array<ArrayBuffer> {
  const labels = [['__name__', nameOf(metric, kind)] as const, ...tags];
  return new Uint8Array(compressSync(writeRequest([{ labels, samples: points }])));
}

/** Prometheus has a counter where others have a count. Its name says so. */
function nameOf(metric: string, kind: SentSeries['kind']): string {
  return kind === 'gauge' ? metric : `${metric}_total`;
}

function agentSettings(platform: PlatformUnderTest, hostname: string): Readonly<Record<string, object>> {
  return { agent: { addresses: [platform.grpcAddress], flushIntervalMs: 200, hostname } };
}

/** All reasons that an agent knows: of lines, of its checks, of its client, and of the platform. */
async function reasonsOf(agent: AgentUnderTest): Promise<ReadonlySet<string>> {
  const { dropped, checks, client } = await agent.status();
  const ofChecks = checks.flatMap(({ leftOut = [] }) => leftOut).map(({ reason }) => reason);
  return new Set([...Object.keys(dropped), ...ofChecks, ...Object.keys(client.reasons)]);
}

async function statsdProtocol(harness: TestHarness, platform: PlatformUnderTest): Promise<Protocol> {
  const agent = await AgentUnderTest.start(await harness.folder(), agentSettings(platform, 'statsd-host'));
  harness.onClear(() => agent.stop());
  const port = Number((await agent.status()).servers[0].address.split(':')[1]);
  const send = async (all: readonly SentSeries[]): Promise<void> => {
    const socket = createSocket('udp4');
    for (const { metric, kind, tags, points } of all) {
      const type = kind === 'gauge' ? 'g' : 'c';
      const lines = points.map(
        ([timeMs, value]) => `${metric}:${value}|${type}|T${timeMs / 1000}|#${tags.map(tagOf).join(',')}`,
      );
      for (const line of lines) {
        await new Promise((resolve) => socket.send(line, port, '127.0.0.1', resolve));
      }
    }
    socket.close();
  };
  return { name: 'DogStatsD', send, reasons: () => reasonsOf(agent) };
}

async function scrapeProtocol(harness: TestHarness, platform: PlatformUnderTest): Promise<Protocol> {
  let body = '';
  let scrapes = 0;
  const server = createServer((_, response) => {
    scrapes++;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness.onClear(() => new Promise((resolve) => server.close(resolve)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const agent = await AgentUnderTest.start(await harness.folder(), {
    ...agentSettings(platform, 'scrape-host'),
    scrape: { targets: [{ url, intervalMs: 1000, instance: 'exporter' }] },
  });
  harness.onClear(() => agent.stop());
  const send = async (all: readonly SentSeries[]): Promise<void> => {
    body = all.flatMap(expositionOf).join('\n');
    const before = scrapes;
    await eventually('a scrape', () => scrapes > before + 1);
  };
  return { name: 'scrape', send, reasons: () => reasonsOf(agent) };
}

function expositionOf({ metric, kind, tags, points }: SentSeries): string[] {
  const name = nameOf(metric, kind);
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const labels = tags.map(([key, value]) => `,"${escaped(key)}"="${escaped(value)}"`).join('');
  const samples = points.map(([timeMs, value]) => {
    const number = Number.isFinite(value) || Number.isNaN(value) ? `${value}` : value > 0 ? '+Inf' : '-Inf';
    return `{"${escaped(name)}"${labels}} ${number} ${timeMs}`;
  });
  return kind !== 'gauge' ? [`# TYPE "${escaped(name)}" counter`, ...samples] : samples;
}
