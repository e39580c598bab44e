import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Kind, kindName } from '@tidemark/model';
import type { DDSketch } from '@tidemark/sketch';
import { StatsD } from 'hot-shots';
import { Aggregator, METRIC_SUFFIXES } from './aggregator.ts';
import { DogStatsDParser } from './parser.ts';
import type { Receiver, SocketFiles } from './server.ts';
import { DEFAULT_DOGSTATSD_LIMITS } from './statsd-limits.ts';
import { StatsdSeriesTable } from './statsd-series-table.ts';
import { StreamFraming } from './stream-framing.ts';
import { udpDrops } from './udp-drops.ts';
import { UdpServer } from './udp-server.ts';
import { UnixDatagramServer } from './unix-datagram-server.ts';
import { UnixStreamServer } from './unix-stream-server.ts';

const limits = DEFAULT_DOGSTATSD_LIMITS;
const files: SocketFiles = {
  isSocket: (path) =>
    stat(path).then(
      (found) => found.isSocket(),
      () => false,
    ),
  remove: (path) => rm(path),
};

function pipeline() {
  const values: Record<string, number> = {};
  const sketches: Record<string, DDSketch> = {};
  const table = new StatsdSeriesTable(limits, Buffer.alloc(16));
  const aggregator = new Aggregator(
    table,
    {
      point: (series, suffix, kind: Kind, value) => {
        const name = `${series.metric}${METRIC_SUFFIXES[suffix]}{${series.tags.join(',')}} ${kindName(kind)}`;
        values[name] = value;
      },
      sketch: (series, sketch) => {
        sketches[series.metric] = sketch;
      },
      serviceCheck: () => undefined,
    },
    limits,
    10,
  );
  const parser = new DogStatsDParser(table, aggregator, limits);
  const receiver: Receiver = {
    parse: (bytes, from, to) => parser.parse(bytes, from, to),
    refused: (reason) => aggregator.refused(reason),
  };
  return { aggregator, receiver, values, sketches };
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('the condition was not met within 30 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dsd-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Sends each type of metric with the unmodified client, and checks the aggregates. */
async function sendEachType(client: StatsD, { aggregator, values, sketches }: ReturnType<typeof pipeline>) {
  client.increment('hits', 3, ['route:/a', 'verb:get']);
  client.increment('hits', 1, ['verb:get', 'route:/a']);
  client.decrement('hits', 1, ['route:/a', 'verb:get']);
  client.gauge('depth', 5);
  client.gauge('depth', 7.25);
  client.set('users', 'ann');
  client.unique('users', 'bob');
  client.set('users', 'ann');
  for (const value of [1, 2, 3, 4]) client.histogram('size', value);
  client.timing('took', 120, { phase: 'parse' });
  for (const value of [10, 20, 30]) client.distribution('lat', value);
  client.event('deploy', 'version 2\nis out', { alert_type: 'success' }, ['env:test']);
  client.check('db.up', client.CHECKS.OK, { message: 'fine' });
  client.gauge('then', 9, { timestamp: 1_656_581_400 });
  // 3 + 2 + 3 + 4 + 1 + 3 + 1 values; each call sends a message of its own.
  await until(() => aggregator.counts().values >= 17 && aggregator.counts().serviceChecks === 1);
  expect(aggregator.counts()).toMatchObject({ values: 17, events: 1, serviceChecks: 1, refused: {} });
  aggregator.flush(0);
  expect(values).toEqual({
    'app.hits{env:test,route:/a,verb:get} count': 3,
    'app.depth{env:test} gauge': 7.25,
    'app.users{env:test} gauge': 2,
    'app.size.avg{env:test} gauge': 2.5,
    'app.size.count{env:test} count': 4,
    'app.size.median{env:test} gauge': 2,
    'app.size.95percentile{env:test} gauge': 4,
    'app.size.max{env:test} gauge': 4,
    'app.took.avg{env:test,phase:parse} gauge': 120,
    'app.took.count{env:test,phase:parse} count': 1,
    'app.took.median{env:test,phase:parse} gauge': 120,
    'app.took.95percentile{env:test,phase:parse} gauge': 120,
    'app.took.max{env:test,phase:parse} gauge': 120,
    'app.then{env:test} gauge': 9,
  });
  expect(sketches['app.lat'].count).toBe(3);
  expect(sketches['app.lat'].sum).toBe(60);
  expect(aggregator.events()).toMatchObject([{ title: 'app.deploy', text: 'version 2\nis out', alertType: 'success' }]);
  expect(aggregator.serviceChecks()).toMatchObject([{ name: 'app.db.up', status: 'ok', message: 'fine' }]);
}

const clientOptions = { prefix: 'app.', globalTags: { env: 'test' }, includeDataDogTags: false };

describe('hot-shots, unmodified', () => {
  test('sends each type over UDP', async () => {
    const parts = pipeline();
    const server = await UdpServer.listen(parts.receiver, {
      port: 0,
      limits,
      ...(process.platform === 'linux' ? { readText: (path) => readFile(path, 'utf8') } : {}),
    });
    const client = new StatsD({ ...clientOptions, host: '127.0.0.1', port: server.port });
    await sendEachType(client, parts);
    const status = await server.status();
    expect(status).toMatchObject({ transport: 'udp', listening: true, address: `127.0.0.1:${server.port}` });
    expect(status.received).toBeGreaterThan(0);
    expect(status.receiveBufferBytes).toBeGreaterThan(0);
    if (process.platform === 'linux') expect(status.droppedByOs).toBe(0);
    await expect(UdpServer.listen(parts.receiver, { port: server.port, limits })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('in use'),
    });
    await new Promise((resolve) => client.close(resolve));
    await server.close();
  });

  test('sends many values in one datagram over UDP', async () => {
    const parts = pipeline();
    const server = await UdpServer.listen(parts.receiver, { port: 0, limits });
    const client = new StatsD({ ...clientOptions, host: '127.0.0.1', port: server.port, maxBufferSize: 1_400 });
    for (let i = 0; i < 2_000; i++) client.increment('n', 1, 1, [`shard:${i % 10}`]);
    await new Promise((resolve) => client.close(resolve));
    await until(() => parts.aggregator.counts().values === 2_000);
    parts.aggregator.flush(0);
    expect(Object.values(parts.values)).toEqual(Array.from({ length: 10 }, () => 200));
    expect((await server.status()).received).toBeLessThan(200);
    await server.close();
  });

  test('sends each type over a Unix stream socket', async () => {
    const parts = pipeline();
    const path = join(folder, 'dsd.stream');
    const server = await UnixStreamServer.listen(parts.receiver, { path, limits, files });
    const stream = createConnection({ path });
    await new Promise((resolve) => stream.once('connect', resolve));
    const client = new StatsD({ ...clientOptions, protocol: 'stream', stream });
    await sendEachType(client, parts);
    expect(await server.status()).toMatchObject({ transport: 'unix-stream', listening: true, address: path });
    client.close(() => undefined);
    await server.close();
  });

  test('sends each type over a Unix datagram socket, where unix-dgram is installed', async () => {
    const parts = pipeline();
    const path = join(folder, 'dsd.socket');
    const server = await UnixDatagramServer.listen(parts.receiver, { path, limits, files }).catch(
      (error: unknown) => error,
    );
    if (!(server instanceof UnixDatagramServer)) {
      expect(server).toMatchObject({ code: 'unimplemented', message: expect.stringContaining('unix-dgram') });
      return;
    }
    const client = new StatsD({ ...clientOptions, protocol: 'uds', path });
    await sendEachType(client, parts);
    expect((await server.status()).received).toBeGreaterThan(0);
    client.close(() => undefined);
    await server.close();
  });

  test('without unix-dgram the Unix datagram server is refused with a reason', async () => {
    const load = (): Promise<never> => Promise.reject(new Error('not installed'));
    const options = { path: join(folder, 'x'), limits, files, load };
    await expect(UnixDatagramServer.listen(pipeline().receiver, options)).rejects.toMatchObject({
      code: 'unimplemented',
      message: expect.stringContaining('unix-dgram'),
    });
  });
});

describe('stream framing', () => {
  const frame = (text: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(text));
    return Buffer.concat([length, Buffer.from(text)]);
  };

  test.each([
    ['length-prefixed', Buffer.concat([frame('a:1|c'), frame('a:2|c\na:3|c'), frame('a:4|c')]), 'lengths'],
    ['lines', Buffer.from('a:1|c\na:2|c\na:3|c\na:4|c'), 'lines'],
  ] as const)('reads %s for any cut of the bytes', (_name, bytes, mode) => {
    for (let size = 1; size <= bytes.length; size++) {
      const { aggregator, receiver, values } = pipeline();
      const framing = new StreamFraming(receiver, limits);
      for (let at = 0; at < bytes.length; at += size) expect(framing.push(bytes.subarray(at, at + size))).toBe(true);
      expect(framing.mode).toBe(mode);
      framing.end();
      aggregator.flush(0);
      expect(values).toEqual({ 'a{} count': 10 });
    }
  });

  test('skips a line over the limit, and ends the stream at a frame over the limit', () => {
    const lines = pipeline();
    const framing = new StreamFraming(lines.receiver, { ...limits, lineBytes: 10 });
    for (const part of ['a:1|c\n', 'x'.repeat(8), 'x'.repeat(8), 'x'.repeat(8), '\na:2|c\n']) {
      expect(framing.push(Buffer.from(part))).toBe(true);
    }
    lines.aggregator.flush(0);
    expect(lines.values).toEqual({ 'a{} count': 3 });
    expect(lines.aggregator.counts().refused).toEqual({ line_bytes_limit: 1 });

    const frames = pipeline();
    const refused = new StreamFraming(frames.receiver, limits);
    expect(refused.push(Buffer.concat([frame('a:1|c'), Buffer.from([0, 0, 1, 0, 0x61])]))).toBe(false);
    frames.aggregator.flush(0);
    expect(frames.values).toEqual({ 'a{} count': 1 });
    expect(frames.aggregator.counts().refused).toEqual({ datagram_bytes_limit: 1 });
  });

  test('a socket file that a crash left is replaced; a socket in use is refused', async () => {
    const parts = pipeline();
    const path = join(folder, 'left');
    const inUse = await UnixStreamServer.listen(parts.receiver, { path, limits, files });
    await expect(UnixStreamServer.listen(parts.receiver, { path, limits, files })).rejects.toMatchObject({
      code: 'failed_precondition',
    });
    await inUse.close();
    const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const killed = spawn(process.execPath, ['-e', code]);
    await new Promise((resolve) => killed.stdout.once('data', resolve));
    killed.kill('SIGKILL');
    await new Promise((resolve) => killed.once('close', resolve));
    expect(await files.isSocket(path)).toBe(true);
    const successor = await UnixStreamServer.listen(parts.receiver, { path, limits, files });
    expect(await successor.status()).toMatchObject({ listening: true });
    await successor.close();
    // A file that is not a socket may be data, so it is never removed.
    await writeFile(path, 'data');
    await expect(UnixStreamServer.listen(parts.receiver, { path, limits, files })).rejects.toMatchObject({
      code: 'failed_precondition',
    });
    expect(await readFile(path, 'utf8')).toBe('data');
  });
});

test('the drops of a port are read from /proc/net/udp', () => {
  const table = [
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    '  100: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 17',
    '  101: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 5',
  ].join('\n');
  expect(udpDrops(table, 8_125)).toBe(17);
  expect(udpDrops(table, 9_999)).toBeUndefined();
});
