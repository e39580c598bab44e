import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kindByName } from '@tidemark/remote-write';
import { METRICS } from '../data/hosts.ts';
import { labelledMetric } from '../data/labelled-series.ts';
import { machine } from '../measurement.ts';
import { type Bodies, type BodiesOptions, benchBodies } from '../remote-write/bodies.ts';
import { bodiesOptions, startSender } from '../remote-write/run.ts';
import type { FromSender } from '../remote-write/sender.ts';
import { folderBytes } from '../whole-path/folder-bytes.ts';
import type { FromPlatform } from '../whole-path/messages.ts';
import { counted, message, start } from '../whole-path/run.ts';
import { processUsage } from './process-usage.ts';
import { buildVictoriaMetrics, VICTORIA_METRICS_VERSION, VictoriaMetrics, whyNoGo } from './victoria-metrics.ts';

/**
 * `npm run bench:peers [-- ROUNDS [PAIRS]]`: the same remote-write bodies into this platform and into VictoriaMetrics,
 * in turn, each fresh, on the same machine in the same run; series are defined within the time that counts. Both have to
 * give the same answers by region of every metric.
 */
const SERIES = 100_000;
const CONNECTIONS = 20;
const [rounds = 60, pairs = 1] = process.argv.slice(2).map(Number);

interface PeerResult {
  readonly name: string;
  readonly points: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly peakRssBytes: number;
  readonly diskBytes: number;
  /** `metric region` → count and sum. */
  readonly answers: ReadonlyMap<string, string>;
}

const noGo = whyNoGo();
if (noGo !== undefined) {
  console.error(`bench:peers builds VictoriaMetrics from its Go module, and ${noGo}`);
  process.exit(1);
}
const binary = buildVictoriaMetrics();
const options = bodiesOptions(SERIES, rounds);
const bodies = benchBodies(options);
const results: PeerResult[] = [];
for (let pair = 0; pair < pairs; pair++) {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-peers-'));
  try {
    const ours = await runTidemark(join(folder, 'tidemark'));
    const theirs = await runVictoriaMetrics(join(folder, 'victoria-metrics'));
    results.push(ours, theirs);
    compare(ours, theirs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.table(
  results.map(({ name, points, cpuSeconds, wallSeconds, peakRssBytes, diskBytes }) => ({
    name,
    'points/CPU s': Math.round(points / cpuSeconds),
    'points/s': Math.round(points / wallSeconds),
    'CPU s': Number(cpuSeconds.toFixed(1)),
    'peak RSS MiB': Math.round(peakRssBytes / 2 ** 20),
    'disk MB': Number((diskBytes / 1e6).toFixed(1)),
  })),
);
console.log(`${SERIES} series × ${rounds} samples, ${CONNECTIONS} connections; answers agree; ${machine()}`);
process.exit(0);

async function runTidemark(folder: string): Promise<PeerResult> {
  const platform = start('platform-process.ts', [folder, String(options.startMs)]);
  const { httpPort } = await message<FromPlatform, 'ready'>(platform, 'ready');
  const url = `http://127.0.0.1:${httpPort}`;
  const pid = pidOf(platform);
  const before = processUsage(pid);
  const startMs = performance.now();
  await send(bodies, `${url}/api/v1/write`, (round) => {
    platform.send({ type: 'clock', nowMs: options.startMs + round * options.stepMs + 1000 });
  });
  await counted(platform, SERIES * rounds);
  const wallSeconds = (performance.now() - startMs) / 1000;
  const after = processUsage(pid);
  const answers = await tidemarkAnswers(url, options);
  const { peakRssBytes } = processUsage(pid);
  platform.send({ type: 'stop' });
  await once(platform, 'exit');
  return {
    name: 'Tidemark',
    points: SERIES * rounds,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    wallSeconds,
    peakRssBytes,
    // What is kept for good: the log is trimmed behind the stores.
    diskBytes: folderBytes(join(folder, 'points')) + folderBytes(join(folder, 'tags')),
    answers,
  };
}

async function runVictoriaMetrics(folder: string): Promise<PeerResult> {
  const server = await VictoriaMetrics.start(binary, folder);
  const pid = pidOf(server.process);
  const before = processUsage(pid);
  const startMs = performance.now();
  await send(bodies, `${server.url}/api/v1/write`);
  await server.flush();
  const wallSeconds = (performance.now() - startMs) / 1000;
  const after = processUsage(pid);
  const answers = await victoriaMetricsAnswers(server.url, options);
  const { peakRssBytes } = processUsage(pid);
  await server.stop();
  return {
    name: `VictoriaMetrics ${VICTORIA_METRICS_VERSION}`,
    points: SERIES * rounds,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    wallSeconds,
    peakRssBytes,
    diskBytes: folderBytes(folder),
    answers,
  };
}

async function send(all: Bodies, url: string, onRound?: (round: number) => void): Promise<void> {
  const sender = startSender(
    { url, headers: {}, bodies: all, rounds, connections: CONNECTIONS, warmRounds: 0 },
    onRound,
  );
  const sent = message<FromSender, 'sent'>(sender, 'sent');
  sender.send('go');
  await sent;
}

async function tidemarkAnswers(url: string, { startMs, stepMs }: BodiesOptions): Promise<Map<string, string>> {
  const from = startMs / 1000;
  const to = (startMs + rounds * stepMs) / 1000;
  const ask = async (metric: string, fold: string): Promise<Map<string, number>> => {
    const query = `sum:${metric}{*} by {region}.rollup(${fold}, 86400)`;
    const answer = await json(`${url}/api/v1/query?query=${encodeURIComponent(query)}&from=${from}&to=${to}`);
    const { series } = answer as { series: { scope: string; pointlist: [number, number][] }[] };
    return new Map(
      series.map(({ scope, pointlist }) => [
        scope.replace(/^region:/, ''),
        pointlist.reduce((sum, [, value]) => sum + value, 0),
      ]),
    );
  };
  return answersOf(ask);
}

async function victoriaMetricsAnswers(url: string, { startMs, stepMs }: BodiesOptions): Promise<Map<string, string>> {
  const seconds = (rounds * stepMs) / 1000;
  const time = startMs / 1000 + seconds - 1;
  const ask = async (metric: string, fold: string): Promise<Map<string, number>> => {
    const query = `sum by (region) (${fold}_over_time(${metric}[${seconds}s]))`;
    const answer = await json(`${url}/api/v1/query?query=${encodeURIComponent(query)}&time=${time}&nocache=1`);
    const { data } = answer as { data: { result: { metric: { region: string }; value: [number, string] }[] } };
    return new Map(data.result.map(({ metric: { region }, value }) => [region, Number(value[1])]));
  };
  return answersOf(ask);
}

/**
 * Of every metric, by region: how many samples, and what they are. Sums are of all samples of gauges; of counters, whose
 * sum is an increase here, of the greatest values. To nine digits, as the two add in another order.
 */
async function answersOf(
  ask: (metric: string, fold: 'count' | 'sum' | 'max') => Promise<Map<string, number>>,
): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for (let m = 0; m < METRICS; m++) {
    const metric = labelledMetric(m);
    const counts = await ask(metric, 'count');
    const sums = await ask(metric, kindByName(metric) === 'counter' ? 'max' : 'sum');
    for (const [region, count] of counts) {
      answers.set(`${metric} ${region}`, `${count} samples, sum ${(sums.get(region) ?? Number.NaN).toPrecision(9)}`);
    }
  }
  return answers;
}

function compare(ours: PeerResult, theirs: PeerResult): void {
  const keys = new Set([...ours.answers.keys(), ...theirs.answers.keys()]);
  const differing = [...keys].filter((key) => ours.answers.get(key) !== theirs.answers.get(key));
  if (differing.length === 0 && keys.size > 0) return;
  for (const key of differing.slice(0, 5)) {
    console.error(`${key}: ${ours.answers.get(key)} here, ${theirs.answers.get(key)} there`);
  }
  throw new Error(`${differing.length} of ${keys.size} answers differ`);
}

async function json(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('a process did not start');
  return pid;
}
