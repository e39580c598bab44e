import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Measurement, machine } from './measurement.ts';
import { processUsage } from './peers/process-usage.ts';
import type { FromGenerator, FromPlatform, GeneratorOptions } from './whole-path/messages.ts';
import { counted, IN_STEP, message, start, startGenerator } from './whole-path/run.ts';

const START_MS = Date.UTC(2026, 10, 1);
const HOSTS = 1000;
const SERIES = 100 * HOSTS;
/** Two and a half hours of points 10 s apart. */
const ROUNDS = 900;
const STEP_MS = 10_000;

export interface ReplayResult {
  readonly points: number;
  /** CPU of all threads from the start of the process until every point was in the stores. */
  readonly cpuSeconds: number;
  /** CPU until the platform serves, in which it reads already. */
  readonly startCpuSeconds: number;
  readonly peakRssBytes: number;
}

/** Claim `replay`: points that a platform reads again from its log after a kill, by a second of its CPU time. */
export async function replay(): Promise<Measurement[]> {
  const { points, cpuSeconds, startCpuSeconds, peakRssBytes } = await runReplay(ROUNDS);
  const conditions =
    `${SERIES} series, ${(points / 1e6).toFixed(0)} M points 10 s apart in the log and in no store; the process that appended them ` +
    `was killed (SIGKILL); CPU of all threads of a platform with defaults from its start, which takes ` +
    `${startCpuSeconds.toFixed(1)} s with what it reads meanwhile, until its stores have every point, commits and a bucket close ` +
    `included; peak RSS ${Math.round(peakRssBytes / 2 ** 20)} MiB; 1 run; ${machine()}`;
  return [{ name: 'replay', value: points / cpuSeconds, unit: 'points/CPU s', conditions }];
}

/** Fills a log, kills its writer, and starts a platform on it. `execArgv` are flags for that platform's Node. */
export async function runReplay(rounds: number, execArgv: readonly string[] = []): Promise<ReplayResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  try {
    await fill(join(folder, 'log'), rounds);
    const platform = start('platform-process.ts', [folder, String(START_MS + rounds * STEP_MS)], execArgv);
    try {
      await message<FromPlatform, 'ready'>(platform, 'ready');
      const pid = platform.pid as number;
      const { cpuSeconds: startCpuSeconds } = processUsage(pid);
      const points = SERIES * (rounds + 1);
      await counted(platform, points);
      const { cpuSeconds, peakRssBytes } = processUsage(pid);
      platform.send({ type: 'stop' });
      await once(platform, 'exit');
      return { points, cpuSeconds, startCpuSeconds, peakRssBytes };
    } finally {
      platform.kill();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Appends all points to a log that no store reads. */
async function fill(logFolder: string, rounds: number): Promise<void> {
  const writer = start('intake-process.ts', [logFolder, String(START_MS)]);
  try {
    const { port } = await message<FromPlatform, 'ready'>(writer, 'ready');
    const options: GeneratorOptions = {
      ...{ port, hosts: HOSTS, rounds, startMs: START_MS, stepMs: STEP_MS, inFlight: 32, seed: 1 },
      shape: IN_STEP,
    };
    const generator = startGenerator(writer, options);
    await message<FromGenerator, 'warm'>(generator, 'warm');
    generator.send('go');
    await message<FromGenerator, 'sent'>(generator, 'sent');
    generator.kill();
  } finally {
    const ended = once(writer, 'exit');
    writer.kill('SIGKILL');
    await ended;
  }
}
