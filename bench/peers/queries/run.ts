import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpClient } from '../../http-client.ts';
import { type Measurement, machine, median } from '../../measurement.ts';
import { bodiesOptions } from '../../remote-write/run.ts';
import { compareAnswers } from '../answers.ts';
import type { Peer, RunningPeer } from '../peer.ts';
import { processUsage } from '../process-usage.ts';
import { tidemarkPeer } from '../tidemark.ts';
import { buildVictoriaMetrics, victoriaMetricsPeer } from '../victoria-metrics.ts';
import { BODY_MS, END_MS, POINTS, QueryBodies, START_MS, STEP_MS } from './data.ts';
import { QUESTIONS, type Question } from './questions.ts';

const CONNECTIONS = 4;
/** Each question is asked at least so often, and short ones for so long: a server that answers all day has compiled its code. */
const RUNS = 31;
const ASKED_MS = 4000;
/** Lead of the platform's clock over the first of the two samples of a body. */
const BEHIND_MS = 15_000;

export const QUERY_NAMES = QUESTIONS.flatMap(({ name }) => [`query-${name}`, `query-${name}-vs-vm`]);

interface Times {
  readonly coldMs: number;
  readonly afterRestartMs: number;
  readonly warmMs: number;
  readonly cpuMs: number;
  /** How often it was asked for `warmMs`. */
  readonly runs: number;
}

/**
 * Claims `query-q1` to `query-q5` and their `-vs-vm`: the same data in Tidemark and in VictoriaMetrics at the same time
 * on the same machine, the same questions in turn over HTTP. Their answers are compared first.
 */
export async function queriesBesidePeers(): Promise<Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-queries-'));
  const client = new HttpClient(CONNECTIONS);
  const options = { ...bodiesOptions(1, 1), startMs: START_MS, stepMs: STEP_MS };
  const peers = [tidemarkPeer(options), victoriaMetricsPeer(buildVictoriaMetrics(), options)];
  const running: RunningPeer[] = [];
  try {
    for (const peer of peers) {
      console.error(`sending ${POINTS} points to ${peer.name}`);
      running.push(await filled(peer, join(folder, peer.name), client));
    }
    for (const question of QUESTIONS) await compare(question, running, client);
    console.error('asking both in turn');
    const warm = await askedInTurn(running, client);
    for (const [i, peer] of peers.entries()) {
      await running[i].stop();
      // Later than the clock that it stopped with, which its log knows.
      running[i] = await peer.start(join(folder, peer.name), END_MS + 2 * BEHIND_MS);
    }
    console.error('asking both after a restart');
    const cold = await askedOnce(running, client);
    for (const question of QUESTIONS) await compare(question, running, client);
    const restarted = await askedInTurn(running, client);
    const times = (question: Question, peer: number): Times => ({
      coldMs: cold[peer].get(question.name) ?? Number.NaN,
      afterRestartMs: restarted[peer].get(question.name)?.ms ?? Number.NaN,
      warmMs: warm[peer].get(question.name)?.ms ?? Number.NaN,
      cpuMs: warm[peer].get(question.name)?.cpuMs ?? Number.NaN,
      runs: warm[peer].get(question.name)?.runs ?? 0,
    });
    return QUESTIONS.flatMap((question) => measurements(question, times(question, 0), times(question, 1)));
  } finally {
    client.close();
    for (const one of running) await one.stop().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function filled(peer: Peer, folder: string, client: HttpClient): Promise<RunningPeer> {
  const running = await peer.start(folder);
  const bodies = new QueryBodies();
  for (let fromMs = START_MS; fromMs < END_MS; fromMs += BODY_MS) {
    running.setClock?.(fromMs + BEHIND_MS);
    // A connection at a time asks for the next body: the samples of a series arrive in order.
    const next = bodies.at(fromMs);
    const lane = async () => {
      for (const body of next) await client.write(running.writeUrl, body);
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  }
  running.setClock?.(END_MS + BEHIND_MS);
  await running.settle(POINTS);
  return running;
}

async function compare({ name, ours, theirs }: Question, running: readonly RunningPeer[], client: HttpClient) {
  const [mine, other] = await Promise.all(
    [ours, theirs].map(async ({ path, read }, peer) => read(JSON.parse(await client.get(running[peer].url + path)))),
  );
  try {
    compareAnswers(mine, other);
  } catch (error) {
    throw new Error(`${name}: the answers differ`, { cause: error });
  }
}

/** Asks each question once of each peer. Returns the times in ms by name, for each peer. */
async function askedOnce(running: readonly RunningPeer[], client: HttpClient): Promise<Map<string, number>[]> {
  const found = running.map(() => new Map<string, number>());
  for (const question of QUESTIONS) {
    for (const [peer, { path }] of [question.ours, question.theirs].entries()) {
      found[peer].set(question.name, await timed(() => client.get(running[peer].url + path)));
    }
  }
  return found;
}

/** Asks each question many times, the peers in turn. Returns medians of time and of CPU, ms, by name, for each peer. */
async function askedInTurn(running: readonly RunningPeer[], client: HttpClient) {
  const found = running.map(() => new Map<string, { ms: number; cpuMs: number; runs: number }>());
  for (const question of QUESTIONS) {
    const ms: number[][] = [[], []];
    const cpuSeconds = [0, 0];
    const startMs = performance.now();
    while (ms[0].length < RUNS || performance.now() - startMs < ASKED_MS) {
      for (const [peer, { path }] of [question.ours, question.theirs].entries()) {
        const before = processUsage(running[peer].pid).cpuSeconds;
        ms[peer].push(await timed(() => client.get(running[peer].url + path)));
        cpuSeconds[peer] += processUsage(running[peer].pid).cpuSeconds - before;
      }
    }
    for (const [peer, times] of ms.entries()) {
      const runs = times.length;
      found[peer].set(question.name, { ms: median(times), cpuMs: (cpuSeconds[peer] * 1000) / runs, runs });
    }
  }
  return found;
}

async function timed(task: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await task();
  return performance.now() - startMs;
}

function measurements({ name, text }: Question, ours: Times, theirs: Times): Measurement[] {
  const timesText = ({ warmMs, cpuMs, coldMs, afterRestartMs }: Times) =>
    `${warmMs.toFixed(2)} ms (${cpuMs.toFixed(1)} CPU ms), first after a restart ${coldMs.toFixed(1)}, ` +
    `median after it ${afterRestartMs.toFixed(1)}`;
  const conditions =
    `${text}; median of ${ours.runs} over HTTP on a kept connection, both peers in turn on the same machine, over the same ` +
    `${POINTS} points (4,000 series for 6 h, 100,000 for the last); answers equal to nine digits; Tidemark: ` +
    `${timesText(ours)}; VictoriaMetrics 1.150 uncached: ${timesText(theirs)}; ${machine()}`;
  return [
    { name: `query-${name}`, value: ours.warmMs, unit: 'ms', conditions },
    {
      name: `query-${name}-vs-vm`,
      value: ours.warmMs / theirs.warmMs,
      unit: 'of the time of VictoriaMetrics',
      conditions,
    },
  ];
}
