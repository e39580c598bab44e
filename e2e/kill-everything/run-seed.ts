import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';
import { KillBed } from './bed.ts';
import { Chaos } from './chaos.ts';
import { questionOf, rangeOf, readContents } from './contents.ts';
import type { HttpSource } from './http-source.ts';
import { parseLedger } from './ledger-line.ts';
import { LoadLedger } from './load-ledger.ts';
import { readTruth } from './log-truth.ts';
import { planOf } from './plan.ts';
import { fatalLines } from './process-logs.ts';
import { checkReplicas, type ReplicasChecked } from './replicas.ts';
import { HTTP_CLIENT, METRICS } from './settings.ts';
import { judge, type Verdict } from './verdict.ts';
import { Watch } from './watch.ts';

/** Before the first fault, and after the last: what is right then is right without any. */
const CALM_MS = 3000;
const SETTLE_MS = 240_000;

export interface SeedResult extends Verdict {
  readonly seed: number;
  readonly done: Chaos['done'];
  readonly batches: number;
  readonly resends: number;
  readonly httpResends: number;
  readonly duplicates: number;
  readonly late: number;
  readonly answers: number;
  readonly failedQueries: number;
  readonly hashes: number;
  readonly bucketHashes: number;
  readonly seconds: Readonly<Record<string, number>>;
}

export interface SeedOptions {
  readonly tell: (text: string) => void;
  /** Leave the folder with data and logs, also when nothing is wrong. */
  readonly keepsFolder?: boolean;
  /** Breaks a promise on purpose. */
  readonly nodeFlags?: (name: string) => readonly string[];
}

/** Starts everything, kills everything by the seed's plan, heals it, and judges what is left. */
export async function runSeed(
  seed: number,
  { tell, keepsFolder = false, nodeFlags }: SeedOptions,
): Promise<SeedResult> {
  const folder = await mkdtemp(join(tmpdir(), `tidemark-kill-${seed}-`));
  const clock = new PhaseClock();
  const bed = await KillBed.start({ folder, nodeFlags });
  let isClean = false;
  try {
    tell(`everything is up: ${clock.end('start')} s`);
    const result = await play(bed, seed, tell, clock);
    isClean = result.problems.length === 0;
    return result;
  } finally {
    await bed.close();
    if (isClean && !keepsFolder) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    else tell(`data and logs are in ${folder}`);
  }
}

async function play(bed: KillBed, seed: number, tell: (text: string) => void, clock: PhaseClock): Promise<SeedResult> {
  const fromMs = Date.now();
  bed.startLoad();
  const watch = new Watch(bed.ask);
  watch.start();
  const chaos = new Chaos(bed.parts, (text) => tell(`${clock.now()} s: ${text}`));
  chaos.guard();
  await pause(CALM_MS);
  await chaos.run(planOf(seed));
  clock.end('chaos');

  bed.heal();
  await bed.ready();
  await pause(CALM_MS);
  await chaos.endGuard();
  const unsettled: string[] = [];
  await bed.endLoad(SETTLE_MS).catch((error: unknown) => unsettled.push(reasonOf(error)));
  const range = rangeOf(fromMs, Date.now());
  await watch.stop();
  await untilComplete(bed, range).catch((error: unknown) => unsettled.push(reasonOf(error)));
  clock.end('settle');

  const ledger = new LoadLedger();
  for (const { name, ledgerFile } of bed.clients) ledger.add(name, parseLedger(await readFile(ledgerFile, 'utf8')));
  ledger.add(HTTP_CLIENT, bed.http.lines);
  const contents = await eventually('the contents', () => readContents(bed.ask, range), SETTLE_MS);
  await Promise.all(bed.cluster.of('intake').map((intake) => intake.stop()));
  const ends = { points: await bed.log.ends('points'), tags: await bed.log.ends('tags') };
  await bed.log.reached(ends.points);
  const truth = readTruth(bed.log.records, ledger);
  const replicas = await checkReplicas(bed.cluster, ends, truth.positions).catch(
    (error: unknown): ReplicasChecked => ({ hashes: 0, bucketHashes: 0, problems: [reasonOf(error)] }),
  );
  await bed.cluster.stop();
  clock.end('check');

  const verdict = judge({ ledger, contents, answers: watch.answers, late: truth.late });
  const problems = [
    ...verdict.problems,
    ...unsettled,
    ...chaos.problems,
    ...watch.problems,
    ...bed.log.problems,
    ...truth.problems,
    ...replicas.problems,
    ...endingsOf(bed),
    ...(await fatalLines(join(bed.cluster.folder, 'logs'))),
    ...unshown(verdict, replicas, ledger, bed.http),
  ];
  return {
    ...verdict,
    problems,
    seed,
    done: chaos.done,
    batches: ledger.batches,
    resends: ledger.resends,
    httpResends: bed.http.resends,
    duplicates: truth.duplicates,
    late: truth.late.size,
    answers: watch.answers.length,
    failedQueries: watch.failed,
    hashes: replicas.hashes,
    bucketHashes: replicas.bucketHashes,
    seconds: clock.seconds,
  };
}

/** Until every metric says of itself that all of the range is there. */
async function untilComplete(bed: KillBed, range: { fromMs: number; toMs: number }): Promise<void> {
  for (const metric of METRICS) {
    const look = async () => {
      const { completeThroughMs, errors } = await bed.ask(questionOf(metric), range);
      if (completeThroughMs !== undefined && completeThroughMs >= range.toMs) return true;
      throw new Error(`complete through ${completeThroughMs} of ${range.toMs}; ${JSON.stringify(errors)}`);
    };
    await eventually(`${metric.name} to be complete`, look, SETTLE_MS, 200);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

/** Everything was told to leave, and did. */
function endingsOf(bed: KillBed): string[] {
  const processes = [...bed.cluster.processes, ...bed.clients.map(({ process }) => process)];
  return processes.filter(({ ending }) => ending !== '0').map(({ name, ending }) => `${name} ended with ${ending}`);
}

/** A run that compared nothing shows nothing. */
function unshown(
  { acked, completeAnswers, completeValues }: Verdict,
  replicas: ReplicasChecked,
  ledger: LoadLedger,
  http: HttpSource,
): string[] {
  const counts = {
    acked,
    completeAnswers,
    completeValues,
    hashes: replicas.hashes,
    bucketHashes: replicas.bucketHashes,
    httpAcked: http.lines.filter(({ type }) => type === 'acked').length,
    httpResends: http.resends,
  };
  return Object.entries({ ...counts, ends: ledger.ends, resends: ledger.resends })
    .filter(([, count]) => count === 0)
    .map(([what]) => `${what} = 0: nothing was shown`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How long each part of a run took. */
class PhaseClock {
  readonly seconds: Record<string, number> = {};
  readonly #startedMs = performance.now();
  #phaseMs = performance.now();

  now(): string {
    return ((performance.now() - this.#startedMs) / 1000).toFixed(1);
  }

  end(phase: string): number {
    const nowMs = performance.now();
    this.seconds[phase] = Math.round((nowMs - this.#phaseMs) / 100) / 10;
    this.#phaseMs = nowMs;
    return this.seconds[phase];
  }
}
