import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { freePorts, Program, Watchdog } from '@tidemark/child-process';
import { ControlClient, type CreateKeyReply } from '@tidemark/contract';
import { callUnary } from '@tidemark/rpc';
import { eventually } from '../process/eventually.ts';
import type { Target } from './attack.ts';
import { Victim, type VictimReport } from './victim.ts';

export interface AttackOptions {
  readonly minutes: number;
  /** Names of `ATTACKS`. */
  readonly names: readonly string[];
}

export interface AttackReport extends VictimReport {
  /** The longest delay of the event loop of the platform's main thread, of each second, ms. */
  readonly stallsMs: readonly number[];
  /** The most CPU time that this thread used between two timers, of each second, ms. */
  readonly stallsCpuMs: readonly number[];
  /** Why the figures are not those of a whole run. */
  readonly problems: readonly string[];
}

/** Lateness bound of the platform that is attacked, ms. */
export const LATENESS_MS = 3000;
const CALM_MS = 5000;

/** Attacks a platform in all of `names` at once, next to a well-behaved tenant; returns what that tenant noticed. */
export async function runAttack({ minutes, names }: AttackOptions): Promise<AttackReport> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-attack-'));
  const watchdog = new Watchdog(folder);
  const ends: (() => Promise<unknown>)[] = [];
  try {
    return await attackIn(folder, watchdog, { minutes, names }, ends);
  } finally {
    for (const end of ends.reverse()) await end();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    watchdog.close();
  }
}

async function attackIn(
  folder: string,
  watchdog: Watchdog,
  { minutes, names }: AttackOptions,
  ends: (() => Promise<unknown>)[],
): Promise<AttackReport> {
  const [httpPort, grpcPort, dogstatsdPort] = await freePorts(3);
  const stallFile = join(folder, 'stalls');
  const platform = platformProgram(folder, watchdog, { httpPort, grpcPort, dogstatsdPort }, stallFile);
  platform.spawn();
  ends.push(() => platform.kill());
  const url = `http://127.0.0.1:${httpPort}`;
  await eventually('the platform to be ready', async () => (await fetch(`${url}/readyz`)).ok);
  const [own, key] = [await newKey(grpcPort, 'attacker', 'read'), await newKey(grpcPort, 'victim', 'read')];
  const victim = new Victim({ url, key });
  ends.push(async () => victim.kill());
  await delay(CALM_MS);
  const beganMs = Date.now();
  const attackers = attackersProcess({ httpPort, grpcPort, dogstatsdPort, key: own }, names);
  ends.push(async () => attackers.kill('SIGKILL'));
  await Promise.race([delay(minutes * 60_000), once(attackers, 'exit')]);
  const problems: string[] = [];
  if (attackers.exitCode !== null) problems.push(`the attackers ended early with ${attackers.exitCode}`);
  attackers.kill('SIGKILL');
  const report = await victim.report();
  if (!platform.isRunning) problems.push(`the platform ended with ${platform.ending}: ${platform.logTail()}`);
  return { ...report, ...stallsSince(await readFile(stallFile, 'utf8'), beganMs), problems };
}

function platformProgram(folder: string, watchdog: Watchdog, ports: Omit<Target, 'key'>, stallFile: string): Program {
  const main = fileURLToPath(new URL('../../apps/tidemark/src/main.ts', import.meta.url));
  const flags = ['--data', join(folder, 'data'), '--completeness-lateness-ms', String(LATENESS_MS)];
  const listens = [
    '--http-port',
    ports.httpPort,
    '--grpc-port',
    ports.grpcPort,
    '--dogstatsd-port',
    ports.dogstatsdPort,
  ];
  const monitor = new URL('./stall-monitor.mjs', import.meta.url).href;
  return new Program({
    name: 'platform',
    command: [process.execPath, '--import', monitor, main, 'start', ...flags, ...listens.map(String)],
    environment: { ...process.env, STALL_FILE: stallFile },
    logFile: join(folder, 'log'),
    watchdog,
  });
}

function attackersProcess(target: Target, names: readonly string[]): ChildProcess {
  const program = fileURLToPath(new URL('./attacker-process.ts', import.meta.url));
  return fork(program, [JSON.stringify([target, names])], { execArgv: [] });
}

async function newKey(grpcPort: number, tenant: string, ...scopes: string[]): Promise<string> {
  const control = new ControlClient(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  const { key } = await callUnary<CreateKeyReply>((done) =>
    control.createKey({ tenant, name: 'attack', scopes: ['send', ...scopes] }, done),
  );
  control.close();
  return key;
}

/** Returns the figures of each second since `sinceMs` that the stall monitor wrote. */
function stallsSince(text: string, sinceMs: number): Pick<AttackReport, 'stallsMs' | 'stallsCpuMs'> {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .filter(([wallMs]) => wallMs > sinceMs);
  return { stallsMs: lines.map(([, ms]) => ms), stallsCpuMs: lines.map(([, , cpuMs]) => cpuMs) };
}

/** Returns the value that a share of all is not above; infinity without values: nothing was measured. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.at(Math.ceil(sorted.length * share) - 1) ?? Number.POSITIVE_INFINITY;
}
