// `npm run soak -- --minutes N`: runs a platform with churn of names, tags, sessions, keys, queries and agents, and fails
// when memory, disk or a table grows.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts, Program, Watchdog } from '@tidemark/child-process';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { eventually } from '../process/eventually.ts';
import { AgentChurn } from './agent-churn.ts';
import type { ChurnCounts, Target } from './churn.ts';
import { figuresOf } from './figures.ts';
import type { Sample } from './growth.ts';
import { showGrowth } from './report.ts';
import { SETTINGS } from './settings.ts';

/** A shorter run judges figures while tables and caches still fill, and fails without a fault. */
const MIN_MINUTES = 10;
const MAX_MINUTES = 10_000;
const SAMPLE_MS = 10_000;
/** Share of the run in which caches and tables fill. */
const WARM_UP = 0.5;
const HELP = `Usage: npm run soak -- [--minutes N] [--keep]

Runs a platform with churn, and fails when memory, disk or a table grows.

  --minutes N  ${MIN_MINUTES} to ${MAX_MINUTES}; default ${MIN_MINUTES}; tables fill in the first half
  --keep       keep the folder of the platform
  --help       show this`;

process.exit(await soak());

async function soak(): Promise<number> {
  const { minutes, keep } = optionsOf();
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-soak-'));
  const watchdog = new Watchdog(folder);
  const ends: (() => Promise<unknown>)[] = [];
  try {
    return await run(folder, watchdog, minutes, ends);
  } finally {
    for (const end of ends.reverse()) await end();
    if (keep) console.log(`kept ${folder}`);
    else await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    watchdog.close();
  }
}

function optionsOf(): { minutes: number; keep: boolean } {
  const { values } = programOptions(
    { help: HELP },
    {
      options: { minutes: { type: 'string', default: String(MIN_MINUTES) }, keep: { type: 'boolean', default: false } },
    },
  );
  const minutes = Number(values.minutes);
  if (!(minutes >= MIN_MINUTES && minutes <= MAX_MINUTES)) {
    const why = minutes < MIN_MINUTES ? ': in a shorter run tables still fill, which looks like growth' : '';
    refuseOptions(`--minutes: ${values.minutes} (limit: ${MIN_MINUTES} to ${MAX_MINUTES})${why}`, HELP);
  }
  return { minutes, keep: values.keep };
}

async function run(
  folder: string,
  watchdog: Watchdog,
  minutes: number,
  ends: (() => Promise<unknown>)[],
): Promise<number> {
  const [httpPort, grpcPort, dogstatsdPort] = await freePorts(3);
  const target: Target = { httpPort, grpcPort, dogstatsdPort };
  const [data, probeFile] = [join(folder, 'data'), join(folder, 'memory')];
  const platform = await platformProgram(folder, watchdog, target, data, probeFile);
  platform.spawn();
  ends.push(() => platform.kill());
  await eventually('the platform to be ready', async () => (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).ok);
  const churn = churnProcess(target);
  ends.push(async () => churn.kill('SIGKILL'));
  const agents = new AgentChurn(join(folder, 'agents'), `127.0.0.1:${grpcPort}`, watchdog);
  ends.push(() => agents.end());
  const beganMs = Date.now();
  const samples = new Map<string, Sample[]>();
  for (let atMs = SAMPLE_MS; atMs <= minutes * 60_000; atMs += SAMPLE_MS) {
    await delay(Math.max(0, beganMs + atMs - Date.now()));
    if (!platform.isRunning) break;
    await agents.turn();
    if (atMs < WARM_UP * minutes * 60_000) continue;
    for (const [name, value] of await figuresOf(platform.pid, httpPort, data, probeFile)) {
      const own = samples.get(name) ?? [];
      own.push({ atMs: Date.now() - beganMs, value });
      samples.set(name, own);
    }
  }
  const isAlive = platform.isRunning;
  if (!isAlive) console.error(`the platform ended with ${platform.ending}: ${platform.logTail()}`);
  const churned = showChurn(await countsOf(churn), agents.count);
  return showGrowth(samples) && churned && isAlive ? 0 : 1;
}

/** Prints what was done; returns whether each act was done at least once. Without churn nothing grows. */
function showChurn(counts: ChurnCounts | undefined, agents: number): boolean {
  if (counts === undefined) console.error('the process of the churn ended early');
  const rows = Object.entries({ ...counts, agents: { done: agents, refused: 0 } });
  for (const [name, { done, refused }] of rows) {
    const never = done === 0 ? '  NEVER DONE' : '';
    console.log(`${name.padEnd(24)} ${String(done).padStart(8)} done ${String(refused).padStart(8)} refused${never}`);
  }
  return counts !== undefined && rows.every(([, { done }]) => done > 0);
}

async function platformProgram(
  folder: string,
  watchdog: Watchdog,
  { httpPort, grpcPort, dogstatsdPort }: Target,
  data: string,
  probeFile: string,
): Promise<Program> {
  const main = fileURLToPath(new URL('../../apps/tidemark/src/main.ts', import.meta.url));
  const settings = join(folder, 'settings.json');
  const ports = { http: { port: httpPort }, grpc: { port: grpcPort } };
  const own = {
    ...SETTINGS,
    ...ports,
    dogstatsd: { ...SETTINGS.dogstatsd, port: dogstatsdPort },
    data: { folder: data },
  };
  await writeFile(settings, JSON.stringify(own));
  const probe = new URL('./memory-probe.mjs', import.meta.url).href;
  return new Program({
    name: 'platform',
    command: [process.execPath, '--no-warnings', '--import', probe, main, 'start', '--settings', settings],
    environment: { ...process.env, PROBE_FILE: probeFile, PROBE_MS: String(SAMPLE_MS / 2) },
    logFile: join(folder, 'log'),
    watchdog,
  });
}

function churnProcess(target: Target): ChildProcess {
  const program = fileURLToPath(new URL('./churn-process.ts', import.meta.url));
  return fork(program, [JSON.stringify(target)], { execArgv: ['--no-warnings'] });
}

/** What the churn has done; undefined when its process has ended by itself. */
async function countsOf(churn: ChildProcess): Promise<ChurnCounts | undefined> {
  if (!churn.connected) return undefined;
  const counted = once(churn, 'message');
  churn.send('end');
  const [counts] = await counted;
  return counts as ChurnCounts;
}
