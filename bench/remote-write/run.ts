import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRICS } from '../data/hosts.ts';
import { labelledMetric } from '../data/labelled-series.ts';
import { folderBytes } from '../whole-path/folder-bytes.ts';
import type { FromPlatform, PlatformReport } from '../whole-path/messages.ts';
import { counted, message, start } from '../whole-path/run.ts';
import { type BodiesOptions, benchBodies } from './bodies.ts';
import type { FromSender, SenderOptions } from './sender.ts';

export interface RemoteWriteResult {
  readonly points: number;
  /** CPU seconds of the platform for the first sample of each series: definitions, tags, and code that is compiled. */
  readonly definingCpuSeconds: number;
  /** Time from the first body to the last response. */
  readonly ackedSeconds: number;
  /** Time from the first body until a query counts every point. */
  readonly wallSeconds: number;
  readonly platformCpuSeconds: number;
  readonly senderCpuSeconds: number;
  readonly retries: number;
  /** Time from sending a body to its answer, ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly report: PlatformReport;
  readonly storeBytes: number;
}

export interface RemoteWriteOptions {
  readonly connections: number;
  /** Flags for the platform's Node, such as a profiler's. */
  readonly execArgv?: readonly string[];
}

const START_MS = Date.UTC(2026, 10, 1);
const STEP_MS = 10_000;
/**
 * Lead of the platform's clock over the oldest round that is not acknowledged, because a sample is sent with a delay.
 */
const TRANSIT_MS = 1000;

/** Bodies of `series` series, one sample each, round by round. */
export function bodiesOptions(series: number, rounds: number): BodiesOptions {
  return { series, rounds, bodySamples: 5000, startMs: START_MS, stepMs: STEP_MS, seed: 1 };
}

/**
 * Sends all bodies from a sender process to a new platform. The first round defines the series and is timed separately.
 */
export async function runRemoteWrite(
  series: number,
  rounds: number,
  { connections, execArgv = [] }: RemoteWriteOptions,
): Promise<RemoteWriteResult> {
  const options = bodiesOptions(series, rounds);
  const bodies = benchBodies(options);
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const platform = start('platform-process.ts', [folder, String(START_MS)], execArgv);
  let sender: ChildProcess | undefined;
  try {
    const { httpPort } = await message<FromPlatform, 'ready'>(platform, 'ready');
    const base = `http://127.0.0.1:${httpPort}`;
    sender = startSender(
      { url: `${base}/api/v1/write`, headers: {}, bodies, rounds, connections, warmRounds: 1 },
      (round) => platform.send({ type: 'clock', nowMs: clockAt(options, round) }),
    );
    const fresh = await counted(platform, 0);
    sender.send('go');
    await message<FromSender, 'warm'>(sender, 'warm');
    const before = await counted(platform, series);
    const startMs = performance.now();
    sender.send('go');
    const sent = await message<FromSender, 'sent'>(sender, 'sent');
    const points = series * rounds;
    const counts = await counted(platform, points);
    await queried(base, series, rounds);
    const wallSeconds = (performance.now() - startMs) / 1000;
    const after = await counted(platform, points);
    platform.send({ type: 'stop' });
    await once(platform, 'exit');
    return {
      points: points - series,
      definingCpuSeconds: before.cpuSeconds - fresh.cpuSeconds,
      ackedSeconds: sent.wallSeconds,
      wallSeconds,
      platformCpuSeconds: after.cpuSeconds - before.cpuSeconds,
      senderCpuSeconds: sent.cpuSeconds,
      retries: sent.retries,
      p50Ms: sent.p50Ms,
      p99Ms: sent.p99Ms,
      report: counts,
      storeBytes: folderBytes(join(folder, 'points')),
    };
  } finally {
    sender?.kill();
    platform.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the time of a platform's clock when all rounds before this one are acknowledged. */
export function clockAt({ startMs, stepMs }: BodiesOptions, round: number): number {
  return startMs + round * stepMs + TRANSIT_MS;
}

/** Starts a sender that waits for `go`. `onRound` gets the number of acknowledged rounds. */
export function startSender(options: SenderOptions, onRound: (round: number) => void = () => undefined): ChildProcess {
  const sender = fork(new URL('sender.ts', import.meta.url), [JSON.stringify(options)], {
    execArgv: ['--no-warnings'],
  });
  sender.on('message', (one: FromSender) => {
    if (one.type === 'round') onRound(one.round);
  });
  sender.on('exit', (code) => {
    if (code !== 0 && code !== null) throw new Error(`the sender ended with ${code}`);
  });
  return sender;
}

/** Checks that queries count every sample of every metric. */
async function queried(base: string, series: number, rounds: number): Promise<void> {
  const from = START_MS / 1000;
  const to = from + (rounds * STEP_MS) / 1000;
  for (let metric = 0; metric < METRICS; metric++) {
    const query = `sum:${labelledMetric(metric)}{*}.rollup(count, 86400)`;
    const response = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(query)}&from=${from}&to=${to}`);
    const answer = (await response.json()) as { series: { pointlist: [number, number][] }[] };
    const found = answer.series.flatMap(({ pointlist }) => pointlist).reduce((sum, [, value]) => sum + value, 0);
    const wanted = Math.ceil((series - metric) / METRICS) * rounds;
    if (found !== wanted) throw new Error(`${query} counts ${found} samples, expected ${wanted}`);
  }
}
