import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { taggedMetric } from '../data/tagged-series.ts';
import { processUsage } from '../peers/process-usage.ts';
import type { FromGenerator, FromPlatform, GeneratorOptions } from '../whole-path/messages.ts';
import { counted, IN_STEP, message, start, startGenerator } from '../whole-path/run.ts';

export interface MemoryOptions {
  readonly hosts: number;
  /** Metrics of each host. */
  readonly metrics: number;
  readonly rounds: number;
  readonly stepMs: number;
  readonly inFlight: number;
  /** Minimum time from one round to the next, ms; 0: full speed. */
  readonly paceMs: number;
  /** How often each query is sent; 0: none. */
  readonly queryTimes: number;
  /** Flags for the platform's Node, such as a profiler's. */
  readonly execArgv?: readonly string[];
  /** Called with the platform's process when all points are in, and after the queries. */
  readonly onStage?: (stage: 'ingested' | 'queried', pid: number, httpPort: number) => Promise<void>;
}

/** Resident memory of a platform with defaults, bytes. */
export interface MemoryResult {
  readonly points: number;
  readonly buckets: number;
  /** The most of it while points came. */
  readonly ingestPeakBytes: number;
  /** Of it when all points are in, before any query. */
  readonly ingestedBytes: number;
  /** The most of it from the start to the last query. */
  readonly peakBytes: number;
  /** Of it after the last query. */
  readonly queriedBytes: number;
  readonly ingestCpuSeconds: number;
  readonly ingestSeconds: number;
}

const START_MS = Date.UTC(2026, 10, 1);

/** Sends hours of points from a generator process to a new platform, then queries through HTTP. */
export async function runMemory(options: MemoryOptions): Promise<MemoryResult> {
  const { hosts, metrics, rounds, stepMs, inFlight, paceMs, execArgv = [] } = options;
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const platform = start('platform-process.ts', [folder, String(START_MS)], execArgv);
  let generator: ChildProcess | undefined;
  try {
    const { port, httpPort } = await message<FromPlatform, 'ready'>(platform, 'ready');
    const pid = platform.pid as number;
    const sending: GeneratorOptions = {
      ...{ port, hosts, metrics, rounds, stepMs, inFlight, paceMs },
      shape: IN_STEP,
      startMs: START_MS,
      seed: 1,
    };
    generator = startGenerator(platform, sending);
    await message<FromGenerator, 'warm'>(generator, 'warm');
    const series = hosts * metrics;
    await counted(platform, series);
    const before = processUsage(pid);
    generator.send('go');
    const { points, wallSeconds } = await message<FromGenerator, 'sent'>(generator, 'sent');
    await counted(platform, series + points);
    const ingested = processUsage(pid);
    await options.onStage?.('ingested', pid, httpPort);
    const toMs = START_MS + rounds * stepMs;
    await query(`http://127.0.0.1:${httpPort}`, { metrics, toMs, times: options.queryTimes });
    const queried = processUsage(pid);
    await options.onStage?.('queried', pid, httpPort);
    const { closedBuckets } = await counted(platform, series + points);
    platform.send({ type: 'stop' });
    await once(platform, 'exit');
    return {
      points: series + points,
      buckets: closedBuckets,
      ingestPeakBytes: ingested.peakRssBytes,
      ingestedBytes: ingested.rssBytes,
      peakBytes: queried.peakRssBytes,
      queriedBytes: queried.rssBytes,
      ingestCpuSeconds: ingested.cpuSeconds - before.cpuSeconds,
      ingestSeconds: wallSeconds,
    };
  } finally {
    generator?.kill();
    platform.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One series of an hour; all of a metric as sum and as rate by region; all of the metrics; six hours of a metric. */
async function query(base: string, asked: { metrics: number; toMs: number; times: number }): Promise<void> {
  const { metrics, toMs, times } = asked;
  const [counter, gauge] = [taggedMetric(0), taggedMetric(metrics > 2 ? 2 : 0)];
  const host = 'host:ip-10-0-0-7.eu-west-1.compute.internal';
  const all = Array.from({ length: metrics }, (_, metric) => `sum:${taggedMetric(metric)}{*} by {region}`);
  const queries = [
    { text: `avg:${gauge}{${host}}`, hours: 1 },
    { text: `sum:${gauge}{*} by {region}`, hours: 1 },
    { text: `sum:${counter}{*} by {region}.as_rate()`, hours: 1 },
    ...all.map((text) => ({ text: `${text}.as_rate()`, hours: 1 })),
    { text: `avg:${gauge}{*} by {region}`, hours: 6 },
  ];
  for (let time = 0; time < times; time++) {
    for (const { text, hours } of queries) {
      const from = toMs / 1000 - hours * 3600;
      const url = `${base}/api/v1/query?query=${encodeURIComponent(text)}&from=${from}&to=${toMs / 1000}`;
      const response = await fetch(url);
      const answer = (await response.json()) as { series?: unknown[]; errors?: unknown };
      if (!response.ok || answer.series?.length === 0) throw new Error(`${text}: ${JSON.stringify(answer)}`);
    }
  }
}
