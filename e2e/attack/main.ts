// `npm run attack -- --minutes N [--only NAME,…] [--keep]`: attacks a platform in all ways at once, next to a well-behaved
// tenant that sends and queries, and prints what that tenant noticed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { freePorts, Program, Watchdog } from '@tidemark/child-process';
import { ControlClient, type CreateKeyReply } from '@tidemark/contract';
import { callUnary } from '@tidemark/rpc';
import { eventually } from '../process/eventually.ts';
import type { Target } from './attack.ts';
import { ATTACKS } from './attacks.ts';
import { Victim, type VictimReport } from './victim.ts';

const MAX_MINUTES = 1000;
const CALM_MS = 5000;
const LATENESS_MS = 3000;
const P99_LIMIT_MS = 500;
const LAG_LIMIT_MS = LATENESS_MS + 2000;
const STALL_LIMIT_MS = 250;
const USAGE = `usage: npm run attack -- [--minutes N] [--only ${Object.keys(ATTACKS).join(',')}]`;

process.exit(await attack(process.argv.slice(2)));

async function attack(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parsed>;
  try {
    options = parsed(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-attack-'));
  const watchdog = new Watchdog(folder);
  const ends: (() => Promise<unknown>)[] = [];
  try {
    return await run(folder, watchdog, options, ends);
  } finally {
    for (const end of ends.reverse()) await end();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    watchdog.close();
  }
}

function parsed(args: readonly string[]): { minutes: number; names: string[] } | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: 'string', default: '1' }, only: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return undefined;
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= MAX_MINUTES)) {
    throw new Error(`--minutes: ${values.minutes} (limit: above 0, up to ${MAX_MINUTES})`);
  }
  const names = values.only?.split(',') ?? Object.keys(ATTACKS);
  const unknown = names.find((name) => !Object.hasOwn(ATTACKS, name));
  if (unknown !== undefined) throw new Error(`--only: ${unknown} (one of: ${Object.keys(ATTACKS).join(', ')})`);
  return { minutes, names };
}

async function run(
  folder: string,
  watchdog: Watchdog,
  { minutes, names }: { minutes: number; names: string[] },
  ends: (() => Promise<unknown>)[],
): Promise<number> {
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
  const hasAttacked = attackers.exitCode === null;
  attackers.kill('SIGKILL');
  const report = await victim.report();
  const stalls = stallsSince(await readFile(stallFile, 'utf8'), beganMs);
  if (!platform.isRunning) console.error(`the platform ended with ${platform.ending}: ${platform.logTail()}`);
  if (!hasAttacked) console.error(`the attackers ended early with ${attackers.exitCode}`);
  return show(report, stalls) && platform.isRunning && hasAttacked ? 0 : 1;
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

/** Returns the longest delays of the event loop of each second since `sinceMs`, ms. */
function stallsSince(text: string, sinceMs: number): number[] {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  return lines.filter(([wallMs]) => wallMs > sinceMs).map(([, ms]) => ms);
}

/** Prints the figures; returns whether all are within their limits. */
function show({ sent, asked, refusals, lagsMs }: VictimReport, stalls: readonly number[]): boolean {
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  const rows = [
    ['sends, p99', percentile(sent, 0.99), P99_LIMIT_MS, 'ms'],
    ['sends, worst', percentile(sent, 1), undefined, 'ms'],
    ['queries, p99', percentile(asked, 0.99), P99_LIMIT_MS, 'ms'],
    ['queries, worst', percentile(asked, 1), undefined, 'ms'],
    ['complete_through behind, worst', percentile(lagsMs, 1), LAG_LIMIT_MS, 'ms'],
    ['refused requests', refused, 0, `of ${sent.length + asked.length + refused}`],
    ['event loop delay, p99 of seconds', percentile(stalls, 0.99), undefined, 'ms'],
    ['event loop delay, worst', percentile(stalls, 1), STALL_LIMIT_MS, 'ms'],
  ] as const;
  for (const [name, value, limit, unit] of rows) {
    const shown = `${name.padEnd(34)} ${value.toFixed(0).padStart(7)} ${unit}`;
    console.log(limit === undefined ? shown : `${shown}  (limit: ${limit})${value > limit ? '  EXCEEDED' : ''}`);
  }
  for (const [reason, count] of Object.entries(refusals)) console.log(`  refused ${count} × ${reason}`);
  return rows.every(([, value, limit]) => limit === undefined || value <= limit);
}

/** Returns infinity without values: nothing was measured. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.at(Math.ceil(sorted.length * share) - 1) ?? Number.POSITIVE_INFINITY;
}
