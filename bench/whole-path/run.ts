import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRICS } from './data.ts';
import type { FromGenerator, FromPlatform, GeneratorOptions, PlatformReport } from './messages.ts';

export interface WholePathResult {
  readonly points: number;
  /** From the first batch until every point is counted, after the series were defined. */
  readonly wallSeconds: number;
  readonly ackedSeconds: number;
  readonly platformCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  readonly report: PlatformReport;
}

const START_MS = Date.UTC(2026, 10, 1);
const STEP_MS = 10_000;

/** Runs the whole path once: a generator process, a platform process, both on this machine. */
export async function runWholePath(
  hosts: number,
  rounds: number,
  platformArgs: readonly string[] = [],
): Promise<WholePathResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const platform = start('platform-process.ts', [folder, String(START_MS)], platformArgs);
  let generator: ChildProcess | undefined;
  try {
    const ready = await message<FromPlatform, 'ready'>(platform, 'ready');
    const options: GeneratorOptions = {
      port: ready.port,
      hosts,
      rounds,
      startMs: START_MS,
      stepMs: STEP_MS,
      inFlight: 32,
      seed: 1,
    };
    generator = start('generator.ts', [JSON.stringify(options)]);
    generator.on('message', (one: FromGenerator) => {
      if (one.type === 'clock') platform.send(one);
    });
    await message<FromGenerator, 'warm'>(generator, 'warm');
    const series = hosts * METRICS;
    const before = await counted(platform, series);
    const startMs = performance.now();
    generator.send('go');
    const sent = await message<FromGenerator, 'sent'>(generator, 'sent');
    const after = await counted(platform, series + sent.points);
    return {
      points: sent.points,
      wallSeconds: (performance.now() - startMs) / 1000,
      ackedSeconds: sent.wallSeconds,
      platformCpuSeconds: after.cpuSeconds - before.cpuSeconds,
      generatorCpuSeconds: sent.cpuSeconds,
      report: after,
    };
  } finally {
    generator?.kill();
    platform.send({ type: 'stop' });
    await once(platform, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks until the stores have counted `points`. */
async function counted(platform: ChildProcess, points: number): Promise<PlatformReport> {
  for (let id = 0; ; id++) {
    platform.send({ type: 'report', id });
    const { report } = await message<FromPlatform, 'report'>(platform, 'report');
    if (report.points > points) throw new Error(`${report.points} points counted, ${points} sent`);
    if (report.points === points) return report;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function start(file: string, args: readonly string[], execArgv: readonly string[] = []): ChildProcess {
  const child = fork(new URL(file, import.meta.url), [...args], { execArgv: [...execArgv, '--no-warnings'] });
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) throw new Error(`${file} ended with ${code}`);
  });
  return child;
}

function message<M extends { readonly type: string }, T extends M['type']>(
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
