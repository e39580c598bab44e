import { prometheusProgram, whyNoPrometheus } from '../../e2e/prometheus/build.ts';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { machine } from '../measurement.ts';
import { benchBodies } from '../remote-write/bodies.ts';
import { bodiesOptions } from '../remote-write/run.ts';
import { print, record } from '../results.ts';
import { compareAnswers } from './answers.ts';
import { measurePeer, type PeerFigures } from './measure.ts';
import type { Peer } from './peer.ts';
import { prometheusPeer } from './prometheus.ts';
import { queriesBesidePeers } from './queries/run.ts';
import { tidemarkPeer } from './tidemark.ts';
import { buildVictoriaMetrics, victoriaMetricsPeer, whyNoGo } from './victoria-metrics.ts';

/**
 * `npm run bench:peers [-- ROUNDS [TURNS]] [--connections N] [--without NAME]`: sends the same remote-write bodies to
 * Tidemark, VictoriaMetrics and Prometheus, one after the other, each with an empty folder, on the same machine in the
 * same run. The measured time includes the definition of series. All must give the same answers by region for every
 * metric. `npm run bench:peers -- queries` asks instead.
 */
const SERIES = 100_000;
const HELP = `Usage: npm run bench:peers -- [queries | ROUNDS [TURNS]] [--connections N] [--without NAME]...

Sends the same remote-write bodies to Tidemark, VictoriaMetrics and Prometheus, and compares their answers.

  queries          ask Tidemark and VictoriaMetrics the same questions over the same data instead, compare answers and
                   times, and update bench/results.json
  ROUNDS           samples of each series; default 60
  TURNS            how often each peer has its turn; default 1
  --connections N  connections of the sender, each of which waits for its answers; default 20
  --without NAME   leave out victoria-metrics or prometheus
  --help           show this`;

const { values, positionals } = programOptions(
  { help: HELP },
  {
    allowPositionals: true,
    options: {
      without: { type: 'string', multiple: true, default: [] },
      connections: { type: 'string', default: '20' },
    },
  },
);
const isQueries = positionals.length === 1 && positionals[0] === 'queries';
const [rounds = 60, turns = 1] = isQueries ? [] : positionals.map(Number);
const connections = Number(values.connections);
const { without } = values;
const unknown = without.find((name) => !['victoria-metrics', 'prometheus'].includes(name));
if (unknown !== undefined) refuseOptions(`--without: ${unknown} (one of: victoria-metrics, prometheus)`, HELP);
if (!(Number.isInteger(connections) && connections > 0)) {
  refuseOptions(`--connections: ${values.connections} (limit: a whole number, at least 1)`, HELP);
}
if (![rounds, turns].every((count) => Number.isInteger(count) && count > 0)) {
  refuseOptions(`ROUNDS, TURNS: ${positionals.join(' ')} (limit: queries, or whole numbers, at least 1)`, HELP);
}

if (isQueries) {
  orExit(whyNoGo());
  const figures = await queriesBesidePeers();
  record(figures);
  print(figures);
  process.exit(0);
}
const options = bodiesOptions(SERIES, rounds);
const peers = await peersOf();
const load = { options, bodies: benchBodies(options), connections, warmRounds: 0 };
const rows: Record<string, string | number>[] = [];
for (let turn = 0; turn < turns; turn++) {
  let ours: ReadonlyMap<string, string> | undefined;
  for (const peer of peers) {
    const figures = await measurePeer(peer, load);
    rows.push(rowOf(peer.name, figures));
    ours ??= figures.answers;
    compareAnswers(ours, figures.answers);
  }
}
console.table(rows);
console.log(`${SERIES} series × ${rounds} samples, ${connections} connections; answers agree; ${machine()}`);
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

function rowOf(name: string, figures: PeerFigures): Record<string, string | number> {
  const { points, cpuSeconds, wallSeconds, p50Ms, p99Ms, peakRssBytes, diskBytes, retries } = figures;
  return {
    name,
    'points/CPU s': Math.round(points / cpuSeconds),
    'points/s': Math.round(points / wallSeconds),
    'CPU s': Number(cpuSeconds.toFixed(1)),
    'p50 ms': Number(p50Ms.toFixed(1)),
    'p99 ms': Number(p99Ms.toFixed(1)),
    'peak RSS MiB': Math.round(peakRssBytes / 2 ** 20),
    'disk MB': Number((diskBytes / 1e6).toFixed(1)),
    retries,
  };
}
