import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { QueryClient } from '@tidemark/contract';
import { boundedMemory } from '@tidemark/executable';
import { runQuery } from '@tidemark/rpc';
import { METRICS } from '../data/hosts.ts';
import { taggedMetric } from '../data/tagged-series.ts';
import { folderBytes } from './folder-bytes.ts';
import type { FromGenerator, FromPlatform, GeneratorOptions, LoadShape, PlatformReport } from './messages.ts';

export interface WholePathResult {
  readonly points: number;
  /** Time from the first batch until every point is counted, without the definition of the series. */
  readonly wallSeconds: number;
  readonly ackedSeconds: number;
  readonly platformCpuSeconds: number;
  /** The part of it that the final queries took. */
  readonly queryCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  /** Late points that were sent, and series that were defined after the first round. */
  readonly latePoints: number;
  readonly newSeries: number;
  readonly report: PlatformReport;
  /** Bytes of the point stores' folders after a clean stop. */
  readonly storeBytes: number;
}

export interface WholePathOptions {
  /** False for a run without stores, which ends when all points are acknowledged. */
  readonly stores?: boolean;
  /** Buckets that each partition closes: the run ends when they are closed. */
  readonly closes?: number;
  /** How points come; without it all series have a point of one time in each round. */
  readonly shape?: LoadShape;
  /** Flags for the platform's Node, such as a profiler's. */
  readonly execArgv?: readonly string[];
  /** The same for the generator's Node. */
  readonly generatorArgv?: readonly string[];
}

/** All hosts in step, and no others later. */
export const IN_STEP: LoadShape = { phases: false, jitterMs: 0, churnPerHour: 0, lateShare: 0 };

const START_MS = Date.UTC(2026, 10, 1);
export const STEP_MS = 10_000;

/** Runs the whole path once: a generator process, a platform process, both on this machine. */
export async function runWholePath(
  hosts: number,
  rounds: number,
  { stores = true, closes = 0, shape = IN_STEP, execArgv = [], generatorArgv = [] }: WholePathOptions = {},
): Promise<WholePathResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const platform = start(stores ? 'platform-process.ts' : 'intake-process.ts', [folder, String(START_MS)], execArgv);
  let generator: ChildProcess | undefined;
  try {
    const ready = await message<FromPlatform, 'ready'>(platform, 'ready');
    const options: GeneratorOptions = {
      port: ready.port,
      hosts,
      rounds,
      shape,
      startMs: START_MS,
      stepMs: STEP_MS,
      inFlight: 32,
      seed: 1,
    };
    generator = startGenerator(platform, options, generatorArgv);
    await message<FromGenerator, 'warm'>(generator, 'warm');
    const series = hosts * METRICS;
    const before = await counted(platform, stores ? series : 0);
    const startMs = performance.now();
    generator.send('go');
    const sent = await message<FromGenerator, 'sent'>(generator, 'sent');
    const counts = await counted(platform, stores ? series + sent.points : 0, closes);
    if (stores) await queried(`127.0.0.1:${ready.port}`, START_MS, hosts, rounds);
    const wallSeconds = (performance.now() - startMs) / 1000;
    const after = await counted(platform, counts.points);
    platform.send({ type: 'stop' });
    await once(platform, 'exit');
    return {
      points: sent.points,
      wallSeconds,
      ackedSeconds: sent.wallSeconds,
      platformCpuSeconds: after.cpuSeconds - before.cpuSeconds,
      queryCpuSeconds: after.cpuSeconds - counts.cpuSeconds,
      generatorCpuSeconds: sent.cpuSeconds,
      latePoints: sent.latePoints,
      newSeries: sent.newSeries,
      report: counts,
      storeBytes: folderBytes(join(folder, 'points')),
    };
  } finally {
    generator?.kill();
    platform.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts a generator, whose points the clock of a platform follows. */
export function startGenerator(
  platform: ChildProcess,
  options: GeneratorOptions,
  execArgv: readonly string[] = [],
): ChildProcess {
  const generator = start('generator.ts', [JSON.stringify(options)], execArgv);
  generator.on('message', (one: FromGenerator) => {
    if (one.type === 'clock') platform.send(one);
  });
  return generator;
}

/** Checks that a query counts every point of every metric. */
export async function queried(address: string, startMs: number, hosts: number, rounds: number): Promise<void> {
  const client = new QueryClient(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
  });
  const toMs = startMs + (rounds + 1) * STEP_MS;
  for (let metric = 0; metric < METRICS; metric++) {
    const query = `sum:${taggedMetric(metric)}{*}.rollup(count, 86400)`;
    const reply = await runQuery(() => client.run({ query, fromMs: startMs, toMs, variables: {} }));
    const found = reply.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0);
    const wanted = hosts * (rounds + 1);
    if (found !== wanted)
      throw new Error(`${query} counts ${found} points, expected ${wanted}: ${JSON.stringify(reply.errors)}`);
  }
  client.close();
}

/** Interval and time limit of the polls of the stores' counts: a lost point ends the run. */
const COUNT_AGAIN_MS = 50;
const COUNT_WITHIN_MS = 120_000;

/** Polls until the stores have counted `points`, and each partition has closed so many buckets. */
export async function counted(platform: ChildProcess, points: number, closes = 0): Promise<PlatformReport> {
  let id = 0;
  const ask = async () => {
    platform.send({ type: 'report', id: id++ });
    return (await message<FromPlatform, 'report'>(platform, 'report')).report;
  };
  const startMs = performance.now();
  for (;;) {
    const report = await untilCounted(points, ask);
    if (report.closedBuckets >= closes) return report;
    if (performance.now() - startMs > COUNT_WITHIN_MS)
      throw new Error(`only ${report.closedBuckets} of ${closes} buckets closed within ${COUNT_WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, COUNT_AGAIN_MS));
  }
}

/** Polls until there are `points`. Throws if there are more, or fewer at the time limit. */
export async function untilCounted<T extends { readonly points: number }>(
  points: number,
  ask: () => Promise<T>,
): Promise<T> {
  const startMs = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer.points === points) return answer;
    if (answer.points > points) throw new Error(`${answer.points} points counted, expected ${points}`);
    if (performance.now() - startMs > COUNT_WITHIN_MS)
      throw new Error(`only ${answer.points} of ${points} points counted within ${COUNT_WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, COUNT_AGAIN_MS));
  }
}

/** Starts a process from a file of this folder. */
export function start(file: string, args: readonly string[], execArgv: readonly string[] = []): ChildProcess {
  const cache = fileURLToPath(new URL('../../node_modules/.cache/tidemark', import.meta.url));
  const bounded = boundedMemory(process.env, cache);
  const child = fork(new URL(file, import.meta.url), [...args], {
    execArgv: ['--no-warnings', ...bounded.execArgv, ...execArgv],
    env: bounded.env,
  });
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) throw new Error(`${file} ended with ${code}`);
  });
  return child;
}

/** Waits for the next message of a type. */
export function message<M extends { readonly type: string }, T extends M['type']>(
  child: ChildProcess,
  type: T,
): Promise<Extract<M, { type: T }>> {
  return new Promise((resolve) => {
    const listen = (one: M) => {
      if (one.type !== type) return;
      child.off('message', listen);
      resolve(one as Extract<M, { type: T }>);
    };
    child.on('message', listen);
  });
}
