import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';
import { Chaos } from './chaos.ts';
import { questionOf, rangeOf, readContents } from './contents.ts';
import { KillHarness } from './harness.ts';
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

/** Time without faults, before the first and after the last. */
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
  readonly report: (text: string) => void;
  /** Keeps the folder with data and logs, also after a clean run. */
  readonly keepsFolder?: boolean;
  /** Flags of Node that break a promise on purpose. */
  readonly nodeFlags?: (name: string) => readonly string[];
}

/** Starts all parts, applies the seed's plan of faults, ends all faults, and judges the result. */
export async function runSeed(
  seed: number,
  { report, keepsFolder = false, nodeFlags }: SeedOptions,
): Promise<SeedResult> {
  const folder = await mkdtemp(join(tmpdir(), `tidemark-kill-${seed}-`));
  const clock = new PhaseClock();
  const harness = await KillHarness.start({ folder, nodeFlags });
  let isClean = false;
  try {
    report(`everything is up: ${clock.end('start')} s`);
    const result = await play(harness, seed, report, clock);
    isClean = result.problems.length === 0;
    return result;
  } finally {
    await harness.close();
    if (isClean && !keepsFolder) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    else report(`data and logs are in ${folder}`);
  }
}

async function play(
  harness: KillHarness,
  seed: number,
  report: (text: string) => void,
  clock: PhaseClock,
): Promise<SeedResult> {
  const fromMs = Date.now();
  harness.startLoad();
  const watch = new Watch(harness.ask);
  watch.start();
  const chaos = new Chaos(harness.parts, (text) => report(`${clock.now()} s: ${text}`));
  chaos.guard();
  await pause(CALM_MS);
  await chaos.run(planOf(seed));
  clock.end('chaos');

  harness.heal();
  await harness.ready();
  await pause(CALM_MS);
  await chaos.endGuard();
  const unsettled: string[] = [];
  await harness.endLoad(SETTLE_MS).catch((error: unknown) => unsettled.push(reasonOf(error)));
  const range = rangeOf(fromMs, Date.now());
  await watch.stop();
  await untilComplete(harness, range).catch((error: unknown) => unsettled.push(reasonOf(error)));
  clock.end('settle');

  const ledger = new LoadLedger();
  for (const { name, ledgerFile } of harness.clients) ledger.add(name, parseLedger(await readFile(ledgerFile, 'utf8')));
  ledger.add(HTTP_CLIENT, harness.http.lines);
  const contents = await eventually('the contents', () => readContents(harness.ask, range), SETTLE_MS);
  await Promise.all(harness.cluster.of('intake').map((intake) => intake.stop()));
  const ends = { points: await harness.log.ends('points'), tags: await harness.log.ends('tags') };
  await harness.log.reached(ends.points);
  const truth = readTruth(harness.log.records, ledger);
  const replicas = await checkReplicas(harness.cluster, ends, truth.positions).catch(
    (error: unknown): ReplicasChecked => ({ hashes: 0, bucketHashes: 0, problems: [reasonOf(error)] }),
  );
  await harness.cluster.stop();
  clock.end('check');

  const verdict = judge({ ledger, contents, answers: watch.answers, late: truth.late });
  const problems = [
    ...verdict.problems,
    ...unsettled,
    ...chaos.problems,
    ...watch.problems,
    ...harness.log.problems,
    ...truth.problems,
    ...replicas.problems,
    ...endingsOf(harness),
    ...(await fatalLines(join(harness.cluster.folder, 'logs'))),
    ...unshown(verdict, replicas, ledger, harness.http),
  ];
  return {
    ...verdict,
    problems,
    seed,
    done: chaos.done,
    batches: ledger.batches,
    resends: ledger.resends,
    httpResends: harness.http.resends,
    duplicates: truth.duplicates,
    late: truth.late.size,
    answers: watch.answers.length,
    failedQueries: watch.failed,
    hashes: replicas.hashes,
    bucketHashes: replicas.bucketHashes,
    seconds: clock.seconds,
  };
}

/** Waits until every metric is complete through the range. */
async function untilComplete(harness: KillHarness, range: { fromMs: number; toMs: number }): Promise<void> {
  for (const metric of METRICS) {
    const poll = async () => {
      const { completeThroughMs, errors } = await harness.ask(questionOf(metric), range);
      if (completeThroughMs !== undefined && completeThroughMs >= range.toMs) return true;
      throw new Error(`complete through ${completeThroughMs} of ${range.toMs}; ${JSON.stringify(errors)}`);
    };
    await eventually(`${metric.name} to be complete`, poll, SETTLE_MS, 200);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

/** Stops all parts, and checks that they ended. */
function endingsOf(harness: KillHarness): string[] {
  const processes = [...harness.cluster.processes, ...harness.clients.map(({ process }) => process)];
  return processes.filter(({ ending }) => ending !== '0').map(({ name, ending }) => `${name} ended with ${ending}`);
}

/** Reports checks that compared nothing, because such a run proves nothing. */
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

/** Measures the time of each phase of a run. */
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
