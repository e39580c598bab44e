import { createSocket } from 'node:dgram';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { Check } from '@tidemark/checks';
import type { Client, ClientStats, MetricDescription } from '@tidemark/client';
import type { KindName } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { ManualClock, SeededRandom } from '@tidemark/simulation';
import type { DDSketch } from '@tidemark/sketch';
import { StatsD } from 'hot-shots';
import { Agent } from './agent.ts';
import type { AgentClient, AgentSeries } from './agent-client.ts';
import { HandleCache } from './handle-cache.ts';
import { HostTags } from './host-tags.ts';
import type { AgentOptions } from './options.ts';
import { closedServer } from './servers.ts';

const files: AgentOptions['files'] = {
  readText: (path) => readFile(path, 'utf8'),
  list: (path) => readdir(path),
  isSocket: (path) => stat(path).then((found) => found.isSocket()),
  remove: (path) => rm(path),
};

const START_MS = 1_700_000_000_400;

const NO_STATS: ClientStats = {
  series: 0,
  samples: 0,
  rejectedSamples: 0,
  mergedSamples: 0,
  gatheredPoints: 0,
  mergedPoints: 0,
  points: 0,
  recoveredPoints: 0,
  ackedPoints: 0,
  rejectedPoints: 0,
  refusedPoints: 0,
  droppedPoints: 0,
  indeterminatePoints: 0,
  pendingPoints: 12,
  spooledPoints: 0,
  batchesSent: 0,
  batchesResent: 0,
  connects: 0,
  behindFrontierPoints: 0,
  spoolBytes: 0,
  spoolFailures: 0,
  spoolBadBytes: 0,
  flushIntervalMs: 0,
  latenessMs: undefined,
  warnings: [],
  callbackErrors: 0,
  internalErrors: 0,
  reasons: {},
};

/** Records its points, flush by flush. */
class FakeClient implements AgentClient {
  /** `kind metric{tags} @time = value`, without those of `tidemark.agent.*`. */
  points: string[] = [];
  own: string[] = [];
  /** Intervals that the agent stated, by metric. */
  readonly stated = new Map<string, (number | undefined)[]>();
  flushes = 0;

  series(metric: string, kind: KindName, tags: readonly string[], intervalMs?: number): AgentSeries {
    this.stated.set(metric, [...(this.stated.get(metric) ?? []), intervalMs]);
    if (metric.length > 200) {
      throw new TidemarkError('invalid_argument', 'too long', { reason: 'metric_too_long', field: 'metric' });
    }
    const note = (value: number | string, timestampMs?: number): void => {
      const line = `${kind} ${metric}{${tags.join(',')}} @${timestampMs} = ${value}`;
      if (metric.startsWith('tidemark.')) this.own.push(line);
      else this.points.push(line);
    };
    return {
      record: note,
      recordSketch: (sketch: DDSketch, timestampMs) => note(`sketch of ${sketch.count}`, timestampMs),
      end: (timestampMs) => note('end', timestampMs),
    };
  }

  readonly described: [metric: string, description: MetricDescription][] = [];

  describe(...described: [metric: string, description: MetricDescription]): void {
    this.described.push(described);
  }

  flush(): void {
    this.flushes++;
  }

  stats(): ClientStats {
    return NO_STATS;
  }

  drain(): string[] {
    const points = this.points;
    this.points = [];
    return points.sort();
  }
}

/** Compiles only while the real client satisfies the interface. */
export const asAgentClient = (client: Client): AgentClient => client;

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('the condition was not met within 30 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function wired(options: Partial<AgentOptions> = {}) {
  const clock = new ManualClock(START_MS);
  const client = new FakeClient();
  const problems: string[] = [];
  const agent = new Agent({
    clock,
    random: new SeededRandom(1),
    client,
    files,
    hostname: 'web-1',
    tags: ['env:test'],
    dogstatsd: false,
    flushIntervalMs: 1_000,
    onProblem: (message, detail) => problems.push(`${message}: ${Object.values(detail).join(' ')}`),
    ...options,
  });
  /** Advances the clock to `ms`, when a flush is due, and waits for that flush. */
  const flushAt = async (ms: number): Promise<void> => {
    const before = client.flushes;
    clock.advanceTo(ms);
    await until(() => client.flushes === before + 1);
  };
  return { agent, clock, client, problems, flushAt };
}

test('UDP is received at ::1 too, and both servers count as one transport', async () => {
  const { agent, client, problems, flushAt } = wired({ dogstatsd: { udp: { port: 0 } } });
  await agent.start();
  const { servers } = await agent.freshStatus();
  const port = Number(servers[0].address.split(':')[1]);
  // A machine without IPv6 reports that, and has one server.
  const hosts = servers.length === 2 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  expect([servers.map(({ address }) => address), problems]).toEqual(
    servers.length === 2
      ? [[`127.0.0.1:${port}`, `[::1]:${port}`], []]
      : [[`127.0.0.1:${port}`], [expect.stringMatching(`DogStatsD port ${port} on ::1 can't be opened`)]],
  );
  for (const host of hosts) {
    const socket = createSocket(host === '::1' ? 'udp6' : 'udp4');
    await new Promise<void>((resolve) => socket.send('hits:1|c', port, host, () => socket.close(() => resolve())));
  }
  await until(() => agent.status().dogstatsd?.values === hosts.length);
  await agent.freshStatus();
  await flushAt(1_700_000_001_003);
  const received = client.own.filter((line) => line.includes('dogstatsd.received{'));
  expect(received).toEqual([expect.stringMatching(`transport:udp} @\\d+ = ${hosts.length}$`)]);
  await agent.stop();
});

test('UDP datagrams become stamped points in each interval, and a stop sends the last interval', async () => {
  const load: Check = { name: 'load', run: async (sink) => sink.gauge('system.load.1', 0.5) };
  const { agent, client, flushAt } = wired({ dogstatsd: { udp: { port: 0 } }, checks: [load] });
  await agent.start();
  const { servers } = await agent.freshStatus();
  const port = Number(servers[0].address.split(':')[1]);
  const values = (): number => agent.status().dogstatsd?.values ?? 0;
  const statsd = new StatsD({ host: '127.0.0.1', port, includeDataDogTags: false });

  statsd.increment('hits', 2, ['route:/a']);
  statsd.increment('hits', 3, ['route:/a']);
  statsd.gauge('depth', 4, ['host:other']);
  statsd.distribution('lat', 9);
  statsd.gauge('then', 1, { timestamp: 1_656_581_400 });
  await until(() => values() === 5);
  expect(client.drain()).toEqual(['gauge then{env:test,host:web-1} @1656581400000 = 1']);
  await flushAt(1_700_000_001_003);
  expect(client.drain()).toEqual([
    'count hits{env:test,host:web-1,route:/a} @1700000000000 = 5',
    'distribution lat{env:test,host:web-1} @1700000000000 = sketch of 1',
    'gauge depth{env:test,host:other} @1700000000000 = 4',
    'gauge system.load.1{env:test,host:web-1} @1700000001000 = 0.5',
  ]);
  await flushAt(1_700_000_002_000);
  expect(client.drain()).toEqual(['gauge system.load.1{env:test,host:web-1} @1700000002000 = 0.5']);

  statsd.increment('hits', 7, ['route:/a']);
  statsd.increment('m'.repeat(199), 1);
  statsd.histogram('m'.repeat(199), 1);
  await until(() => values() === 8);
  await agent.stop();
  expect(client.drain()).toEqual([
    'count hits{env:test,host:web-1,route:/a} @1700000002000 = 7',
    `count ${'m'.repeat(199)}{env:test,host:web-1} @1700000002000 = 1`,
  ]);
  const status = agent.status();
  // A histogram's suffixes made the name too long: five points of one series.
  expect(status.dropped).toEqual({ metric_too_long: 5 });
  expect(status).toMatchObject({ running: false, flushes: 3, points: { dogstatsd: 6, checks: 2 } });
  expect(client.own).toContain('count tidemark.agent.points{env:test,host:web-1,source:dogstatsd} @1700000001000 = 4');
  expect(client.own).toContain('gauge tidemark.agent.client.pending_points{env:test,host:web-1} @1700000001000 = 12');
  expect(client.own).toContain(
    'count tidemark.agent.dropped{env:test,host:web-1,reason:metric_too_long} @1700000002000 = 5',
  );
  await new Promise((resolve) => statsd.close(resolve));
});

describe('checks', () => {
  test('a slow check’s readings go with the next flush, a failure is reported, and other checks stay on time', async () => {
    let finish = (): void => undefined;
    const slow: Check = {
      name: 'slow',
      run: async (sink) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        sink.gauge('slow', 1);
      },
    };
    const failing: Check = {
      name: 'failing',
      run: async (sink) => {
        sink.gauge('kept', 1);
        sink.gauge('bad', Number.NaN);
        throw new Error('no such device');
      },
    };
    const { agent, clock, client, problems, flushAt } = wired({ checks: [slow, failing] });
    await agent.start();
    clock.advanceTo(1_700_000_001_000);
    await until(() => agent.status().checks[0].running && agent.status().checks[1].failures === 1);
    expect(client.flushes).toBe(0);
    await flushAt(1_700_000_001_250);
    expect(client.drain()).toEqual(['gauge kept{env:test,host:web-1} @1700000001000 = 1']);
    finish();
    await until(() => !agent.status().checks[0].running);
    clock.advanceTo(1_700_000_002_000);
    await until(() => agent.status().checks[0].runs === 2);
    await flushAt(1_700_000_002_250);
    expect(client.drain()).toEqual([
      'gauge kept{env:test,host:web-1} @1700000002000 = 1',
      'gauge slow{env:test,host:web-1} @1700000002000 = 1',
    ]);
    expect(problems[0]).toBe('a check failed: failing no such device');
    expect(agent.status().dropped.value_nan).toBe(2);
    await agent.stop();
  });
});

test('each point of a series that the client refuses is counted, and the client is asked again later', async () => {
  const name = 'm'.repeat(201);
  const wide: Check = {
    name: 'wide',
    run: async (sink) => {
      sink.gauge(name, 1);
      sink.gauge('kept', 1);
    },
  };
  const { agent, clock, client, flushAt } = wired({ checks: [wide], seriesExpiryMs: 2_000 });
  await agent.start();
  const asked = () => client.stated.get(name)?.length;
  for (const [i, calls] of [1, 1, 2].entries()) {
    clock.advanceTo(1_700_000_001_000 + i * 1_000);
    await flushAt(1_700_000_001_250 + i * 1_000);
    expect([agent.status().dropped, asked()]).toEqual([{ metric_too_long: i + 1 }, calls]);
  }
  expect(client.drain()).toHaveLength(3);
  await agent.stop();
});

test('a service check is a gauge, as over HTTP', async () => {
  const { agent, client } = wired({ dogstatsd: { udp: { port: 0 } } });
  await agent.start();
  const { servers } = await agent.freshStatus();
  const port = Number(servers[0].address.split(':')[1]);
  const socket = createSocket('udp4');
  const lines = `_sc|db.up|2|d:1656581400|h:db-1|#role:main|m:no answer\n_sc|${'n'.repeat(190)}|0\n_sc|disk|0`;
  await new Promise<void>((resolve) => socket.send(lines, port, '127.0.0.1', () => socket.close(() => resolve())));
  await until(() => agent.status().dogstatsd?.serviceChecks === 3);
  expect(client.drain()).toEqual([
    'gauge service_check.db.up{env:test,host:db-1,role:main} @1656581400000 = 2',
    `gauge service_check.disk{env:test,host:web-1} @${START_MS} = 0`,
  ]);
  expect(agent.status()).toMatchObject({ points: { dogstatsd: 2 }, dropped: { metric_too_long: 1 } });
  await agent.stop();
});

test('readings of a check with a phase are stamped with its start, but never before the last flush', async () => {
  let finish = (): void => undefined;
  let closed = 0;
  const remote: Check = {
    name: 'remote',
    everyMs: 1_000,
    phaseMs: 700,
    run: async (sink) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      sink.describe('jobs', { unit: 'job' });
      sink.counter('jobs', 5, ['instance:a']);
      sink.counter('jobs', 4, ['instance:stated'], 1_699_999_990_000);
      sink.end('depth', 'gauge', ['instance:a']);
    },
    close: async () => {
      closed++;
    },
  };
  const { agent, clock, client, flushAt } = wired({ checks: [remote] });
  await agent.start();
  const ended = async (runs: number): Promise<void> => {
    finish();
    await until(() => agent.status().checks[0].runs === runs && !agent.status().checks[0].running);
  };
  clock.advanceTo(1_700_000_000_701);
  await ended(1);
  await flushAt(1_700_000_001_000);
  // A time that the source states is kept, however old.
  const stated = 'counter jobs{env:test,host:web-1,instance:stated} @1699999990000 = 4';
  const end = 'gauge depth{env:test,host:web-1,instance:a}';
  expect(client.drain()).toEqual([
    'counter jobs{env:test,host:web-1,instance:a} @1700000000701 = 5',
    stated,
    `${end} @1700000000701 = end`,
  ]);
  expect(client.described).toEqual([['jobs', { unit: 'job' }]]);
  clock.advanceTo(1_700_000_001_702);
  await flushAt(1_700_000_002_000);
  await flushAt(1_700_000_003_000);
  expect(client.drain()).toEqual([]);
  await ended(2);
  await flushAt(1_700_000_004_000);
  expect(client.drain()).toEqual([
    'counter jobs{env:test,host:web-1,instance:a} @1700000003000 = 5',
    stated,
    `${end} @1700000003000 = end`,
  ]);
  const stopped = agent.stop();
  finish();
  await stopped;
  expect(closed).toBe(1);
});

test('readings state the interval of their check, and those whose source states their time none', async () => {
  const checks: Check[] = [
    {
      name: 'each flush',
      run: async (sink) => {
        sink.gauge('a.gauge', 1);
        sink.count('a.count', 1);
      },
    },
    { name: 'at flushes', everyMs: 2_500, run: async (sink) => sink.counter('b.counter', 1) },
    {
      name: 'by a timer',
      everyMs: 15_000,
      phaseMs: 100,
      run: async (sink) => {
        sink.reading('c.reading', 1);
        sink.gauge('c.gauge', 1);
        sink.counter('c.counter', 1);
        sink.gauge('c.own_time', 1, [], START_MS);
        sink.end('c.ended', 'gauge');
      },
    },
  ];
  const { agent, client, flushAt } = wired({ checks, dogstatsd: { udp: { port: 0 } } });
  await agent.start();
  const { servers } = await agent.freshStatus();
  const port = Number(servers[0].address.split(':')[1]);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.send('d.gauge:1|g', port, '127.0.0.1', () => socket.close(resolve)));
  await until(() => agent.status().dogstatsd?.values === 1);
  for (let second = 1; second <= 32; second++) await flushAt(1_700_000_000_000 + second * 1_000);
  await agent.stop();
  const stated = (prefix: string) => [...client.stated].filter(([metric]) => metric.startsWith(prefix)).sort();
  expect(stated('a.')).toEqual([
    ['a.count', [1_000]],
    ['a.gauge', [1_000]],
  ]);
  // A check that is due after 2.5 s runs at every third flush.
  expect(stated('b.')).toEqual([['b.counter', [3_000]]]);
  expect(stated('c.')).toEqual([
    ['c.counter', [15_000]],
    ['c.ended', [undefined]],
    ['c.gauge', [15_000]],
    ['c.own_time', [undefined]],
    ['c.reading', [15_000]],
  ]);
  // DogStatsD's clients don't say how often they send a gauge.
  expect(stated('d.')).toEqual([['d.gauge', [undefined]]]);
  expect(client.stated.get('tidemark.agent.client.series')).toEqual([1_000]);
});

test('a port in use is an error that names the port, and leaves nothing open', async () => {
  const first = wired({ dogstatsd: { udp: { port: 0 } } });
  await first.agent.start();
  const port = Number((await first.agent.freshStatus()).servers[0].address.split(':')[1]);
  const second = wired({ dogstatsd: { udp: { port } } });
  await expect(second.agent.start()).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining(`127.0.0.1:${port} is in use`),
  });
  expect(second.agent.status().running).toBe(false);
  await first.agent.stop();
});

test('the sources are checks and servers, each with the reason why it does not work', async () => {
  const fails = { name: 'scrape a:1', run: () => Promise.reject(new Error('refused')) };
  const works = { name: 'cpu', run: () => Promise.resolve() };
  const closedServers = [closedServer('udp', '127.0.0.1:8125', 'in use')];
  const { agent, flushAt } = wired({ checks: [works, fails], closedServers });
  await agent.start();
  await flushAt(START_MS + 1_000);
  expect(agent.sources()).toEqual([
    { name: 'cpu', problem: '', sinceMs: 0 },
    { name: 'scrape a:1', problem: 'refused', sinceMs: START_MS + 1_000 },
    { name: 'dogstatsd udp 127.0.0.1:8125', problem: 'in use', sinceMs: START_MS },
  ]);
  await agent.stop();
});

test('the handle cache states an interval once, and again when it changes', () => {
  const client = new FakeClient();
  const cache = new HandleCache(client, new HostTags('h', []), 10, 10);
  for (const intervalMs of [15_000, 15_000, undefined, 15_000, 30_000, undefined, 15_000]) {
    cache.get('m', 'gauge', [], intervalMs);
  }
  expect(client.stated.get('m')).toEqual([15_000, 30_000, 15_000]);
  cache.get('n', 'gauge', []);
  cache.get('n', 'gauge', [], 15_000);
  expect(client.stated.get('n')).toEqual([undefined, 15_000]);
});

test('the handle cache evicts handles of idle series, and never exceeds its limit', () => {
  const cache = new HandleCache(new FakeClient(), new HostTags('web-1', []), 8, 1_000);
  for (let flush = 0; flush < 200; flush++) {
    const steady = cache.get('steady', 'gauge', []);
    expect(cache.get('steady', 'gauge', [])).toBe(steady);
    for (let i = 0; i < 10; i++) cache.get(`churn.${flush}.${i}`, 'gauge', []);
    cache.endFlush();
    expect(cache.size).toBeLessThanOrEqual(1 + 10 * 10);
  }
  for (let i = 0; i < 5_000; i++) cache.get(`flood.${i}`, 'gauge', []);
  expect(cache.size).toBe(1_000);
});
