import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { encodeControl } from '@tidemark/control-log';
import { packSlots, SLOTS } from '@tidemark/model';
import { AgentUnderTest } from './process/agent-under-test.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** Serves one body, and returns its URL. */
async function exporter(body: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/openmetrics-text; version=1.0.0' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness.onClear(() => new Promise((resolve) => server.close(() => resolve(undefined))));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

async function metadataOf(platform: PlatformUnderTest, metric: string) {
  const response = await fetch(`${platform.httpUrl}/api/v1/metrics/${metric}`);
  return (await response.json()) as { readonly type?: string; readonly [field: string]: unknown };
}

async function state(platform: PlatformUnderTest, metric: string, fields: Readonly<Record<string, unknown>>) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${platform.httpUrl}/api/v1/metrics/${metric}`, {
    ...{ method: 'PUT', headers, body: JSON.stringify(fields) },
  });
  expect(response.status).toBe(200);
}

test('a scrape says what its lines say, wherever they stand, and a user corrects it', async () => {
  const platform = await harness.platform();
  const url = await exporter(
    'size_bytes_total 7\n# HELP size_bytes Size of\\nall files\n# TYPE size_bytes counter\n# UNIT size_bytes bytes\n# EOF\n',
  );
  const agent = await AgentUnderTest.start(await harness.folder(), {
    agent: { addresses: [platform.grpcAddress], flushIntervalMs: 200, hostname: 'web-1' },
    scrape: { targets: [{ url, prefix: 'shop.', intervalMs: 1000, timeoutMs: 900 }] },
  });
  harness.onClear(() => agent.stop());
  const metric = 'shop.size_bytes_total';
  const known = await eventually('the metadata', async () => {
    const found = await metadataOf(platform, metric);
    return found.unit === 'bytes' && found;
  });
  expect(known).toMatchObject({ type: 'counter', description: 'Size of\nall files' });
  expect(known.sources).toEqual({ type: 'protocol', unit: 'protocol', description: 'protocol' });
  await state(platform, metric, { unit: 'octet', type: 'gauge' });
  await eventually('the correction', async () => (await metadataOf(platform, metric)).unit === 'octet');
  expect(await metadataOf(platform, metric)).toMatchObject({
    ...{ type: 'gauge', description: 'Size of\nall files' },
    sources: { type: 'user', unit: 'user', description: 'protocol' },
  });
});

test('a program describes its metrics, and a reading holds for 2.5 of the intervals that are stated', async () => {
  const platform = await harness.platform();
  const client = await harness.client(platform.grpcAddress);
  const atMs = Math.floor(Date.now() / 60_000) * 60_000 - 300_000;
  client.gauge('backup.size', 5, [], atMs);
  client.describe('backup.size', { unit: 'byte', description: 'Of the last one', intervalMs: 40_000 });
  client.flush();
  await client.settled();
  const known = await eventually('the metadata', async () => {
    const found = await metadataOf(platform, 'backup.size');
    return found.unit === 'byte' && found;
  });
  expect(known).toMatchObject({ type: 'gauge', description: 'Of the last one', statsd_interval: 40 });

  /** Seconds for which the reading holds. */
  const heldS = async (): Promise<number> => {
    const answer = await platform.query('avg:backup.size{*}.rollup(last, 1)', atMs, atMs + 240_000);
    return answer.series[0]?.values.filter((value) => value === 5).length ?? 0;
  };
  expect(await heldS()).toBe(100);
  await state(platform, 'backup.size', { statsd_interval: 20 });
  await eventually('the interval of the user', async () => (await heldS()) === 50);
  // Taken back, the one of the program holds again.
  await state(platform, 'backup.size', { statsd_interval: 0 });
  await eventually('the interval of the program', async () => (await heldS()) === 100);
});

test('what a user states survives moves of the slot, and can be corrected and taken back after them', async () => {
  const platform = await harness.platform({ partitions: 2 });
  const metric = 'shop.orders';
  const send = async (): Promise<void> => {
    const client = await harness.client(platform.grpcAddress);
    client.gauge(metric, 5);
    client.flush();
    await client.settled();
    await client.close();
  };
  /** Moves every slot to a partition, and waits until points go there. */
  const moveTo = async (partition: number, epoch: number): Promise<void> => {
    const slots = new Uint16Array(SLOTS).fill(partition);
    const map = { epoch, partitions: 2, slots: packSlots({ epoch, partitions: 2, slots }) };
    const decision = encodeControl({ $case: 'map', value: { term: 1, expectedEpoch: epoch - 1, map } });
    const { tags } = await platform.status();
    const before = tags[partition].offset;
    await platform.append('control', 0, decision);
    await eventually('points in the other partition', async () => {
      await send();
      return (await platform.status()).tags[partition].offset > before;
    });
  };
  const shown = async (what: string, expected: Readonly<Record<string, unknown>>): Promise<void> => {
    let found: unknown;
    await eventually(what, async () => {
      found = await metadataOf(platform, metric);
      return Object.entries(expected).every(([field, value]) => (found as typeof expected)[field] === value);
    }).catch(() => expect(found).toMatchObject(expected));
    const response = await fetch(`${platform.httpUrl}/api/tidemark/v1/metrics?contains=shop`);
    const { metrics } = (await response.json()) as { metrics: { kinds: string[] }[] };
    expect(metrics[0].kinds).toEqual([expected.type]);
  };

  await send();
  const partition = (await platform.status()).tags.findIndex(({ metrics }) => metrics > 0);
  await state(platform, metric, { type: 'counter', unit: 'order' });
  await shown('the statement', { type: 'counter', unit: 'order' });
  await moveTo(1 - partition, 2);
  await shown('the statement of before', { type: 'counter', unit: 'order' });
  await state(platform, metric, { unit: 'item' });
  await shown('the correction', { type: 'counter', unit: 'item' });
  await moveTo(partition, 3);
  await shown('the correction after the move back', { type: 'counter', unit: 'item' });
  await state(platform, metric, { unit: 'piece' });
  await moveTo(1 - partition, 4);
  await shown('the last correction', { type: 'counter', unit: 'piece' });
  await state(platform, metric, { type: '', unit: '' });
  await shown('what senders say', { type: 'gauge', unit: null });
});
