import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prometheusProgram, whyNoPrometheus } from '../../e2e/prometheus/build.ts';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { machine } from '../measurement.ts';
import { benchBodies } from '../remote-write/bodies.ts';
import { bodiesOptions, startSender } from '../remote-write/run.ts';
import type { FromSender } from '../remote-write/sender.ts';
import { message } from '../whole-path/run.ts';
import { compareAnswers } from './answers.ts';
import type { Peer } from './peer.ts';
import { processUsage } from './process-usage.ts';
import { prometheusPeer } from './prometheus.ts';
import { tidemarkPeer } from './tidemark.ts';
import { buildVictoriaMetrics, victoriaMetricsPeer, whyNoGo } from './victoria-metrics.ts';

/**
 * `npm run bench:peers [-- ROUNDS [TURNS]] [--without NAME]`: sends the same remote-write bodies to Tidemark,
 * VictoriaMetrics and Prometheus, one after the other, each with an empty folder, on the same machine in the same run.
 * The measured time includes the definition of series. All must give the same answers by region for every metric.
 */
const SERIES = 100_000;
const CONNECTIONS = 20;
const HELP = `Usage: npm run bench:peers -- [ROUNDS [TURNS]] [--without NAME]...

Sends the same remote-write bodies to Tidemark, VictoriaMetrics and Prometheus, and compares their answers.

  ROUNDS          samples of each series; default 60
  TURNS           how often each peer has its turn; default 1
  --without NAME  leave out victoria-metrics or prometheus
  --help          show this`;

const { values, positionals } = programOptions(
  { help: HELP },
  { allowPositionals: true, options: { without: { type: 'string', multiple: true, default: [] } } },
);
const [rounds = 60, turns = 1] = positionals.map(Number);
const { without } = values;
const unknown = without.find((name) => !['victoria-metrics', 'prometheus'].includes(name));
if (unknown !== undefined) refuseOptions(`--without: ${unknown} (one of: victoria-metrics, prometheus)`, HELP);
if (![rounds, turns].every((count) => Number.isInteger(count) && count > 0)) {
  refuseOptions(`ROUNDS, TURNS: ${positionals.join(' ')} (limit: whole numbers, at least 1)`, HELP);
}

const options = bodiesOptions(SERIES, rounds);
const peers = await peersOf();
const bodies = benchBodies(options);
const rows: Record<string, string | number>[] = [];
for (let turn = 0; turn < turns; turn++) {
  let ours: ReadonlyMap<string, string> | undefined;
  for (const peer of peers) {
    const { row, answers } = await measure(peer);
    rows.push(row);
    ours ??= answers;
    compareAnswers(ours, answers);
  }
}
console.table(rows);
console.log(`${SERIES} series × ${rounds} samples, ${CONNECTIONS} connections; answers agree; ${machine()}`);
process.exit(0);

/** Tidemark is first: the others are compared with it. */
async function peersOf(): Promise<Peer[]> {
  const found = [tidemarkPeer(options)];
  if (!without.includes('victoria-metrics')) {
    orExit(whyNoGo());
    found.push(victoriaMetricsPeer(buildVictoriaMetrics(), options));
  }
  if (!without.includes('prometheus')) {
    orExit((await whyNoPrometheus()) || undefined);
    found.push(prometheusPeer(await prometheusProgram(), options));
  }
  return found;
}

function orExit(reason: string | undefined): void {
  if (reason === undefined) return;
  console.error(`bench:peers cannot build its peers from their Go modules: ${reason}`);
  process.exit(1);
}

async function measure(
  peer: Peer,
): Promise<{ row: Record<string, string | number>; answers: ReadonlyMap<string, string> }> {
  const points = SERIES * rounds;
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-peers-'));
  try {
    const running = await peer.start(join(folder, 'data'));
    const before = processUsage(running.pid);
    const startMs = performance.now();
    const sender = startSender(
      { url: running.writeUrl, headers: {}, bodies, rounds, connections: CONNECTIONS, warmRounds: 0 },
      (round) => running.onRound?.(round),
    );
    const sent = message<FromSender, 'sent'>(sender, 'sent');
    sender.send('go');
    const { retries } = await sent;
    await running.settle(points);
    const wallSeconds = (performance.now() - startMs) / 1000;
    const cpuSeconds = processUsage(running.pid).cpuSeconds - before.cpuSeconds;
    const answers = await running.answers();
    const { peakRssBytes } = processUsage(running.pid);
    const diskBytes = await running.stop();
    const row = {
      name: peer.name,
      'points/CPU s': Math.round(points / cpuSeconds),
      'points/s': Math.round(points / wallSeconds),
      'CPU s': Number(cpuSeconds.toFixed(1)),
      'peak RSS MiB': Math.round(peakRssBytes / 2 ** 20),
      'disk MB': Number((diskBytes / 1e6).toFixed(1)),
      retries,
    };
    return { row, answers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
