import { type Measurement, machine, median } from './measurement.ts';
import { compareAnswers } from './peers/answers.ts';
import { measurePeer, type PeerFigures } from './peers/measure.ts';
import { tidemarkPeer } from './peers/tidemark.ts';
import { buildVictoriaMetrics, VERSION, victoriaMetricsPeer, whyNoGo } from './peers/victoria-metrics.ts';
import { benchBodies } from './remote-write/bodies.ts';
import { bodiesOptions } from './remote-write/run.ts';

const SERIES = 100_000;
const ROUNDS = 100;
const CONNECTIONS = 4;
const RUNS = 3;

/**
 * Claims `remote-write-4-connections` and what belongs to it: remote write from a sender with few connections, which waits for
 * each answer, to this platform and to VictoriaMetrics in turns. Both must give the same answers.
 */
export async function remoteWriteFourConnections(): Promise<Measurement[]> {
  const reason = whyNoGo();
  if (reason !== undefined) throw new Error(`VictoriaMetrics can't be built from its Go module: ${reason}`);
  const options = bodiesOptions(SERIES, ROUNDS);
  const peers = [tidemarkPeer(options), victoriaMetricsPeer(buildVictoriaMetrics(), options)];
  const load = { options, bodies: benchBodies(options), connections: CONNECTIONS, warmRounds: 1 };
  const runs: [ours: PeerFigures, theirs: PeerFigures][] = [];
  for (let run = 0; run < RUNS; run++) {
    const [ours, theirs] = [await measurePeer(peers[0], load), await measurePeer(peers[1], load)];
    compareAnswers(ours.answers, theirs.answers);
    runs.push([ours, theirs]);
  }
  const of = (side: 0 | 1, figure: (figures: PeerFigures) => number) => median(runs.map((run) => figure(run[side])));
  const ratio = (figure: (figures: PeerFigures) => number) => median(runs.map(([a, b]) => figure(a) / figure(b)));
  const rate = ({ points, wallSeconds }: PeerFigures) => points / wallSeconds;
  const cpuRate = ({ points, cpuSeconds }: PeerFigures) => points / cpuSeconds;
  const conditions =
    `${RUNS} runs of each, in turns, median; ${SERIES} series defined before, ${ROUNDS - 1} rounds, 5,000 samples a body, ` +
    `${CONNECTIONS} connections of a process of its own on the same cores; until queries show every sample, answers equal; ` +
    `VictoriaMetrics ${VERSION}, which does not sync before it answers: ${(of(1, rate) / 1e6).toFixed(2)} M points/s, ` +
    `${(of(1, cpuRate) / 1e6).toFixed(2)} M points/CPU s, p50 ${of(1, ({ p50Ms }) => p50Ms).toFixed(1)} ms, ` +
    `p99 ${of(1, ({ p99Ms }) => p99Ms).toFixed(1)} ms; ${machine()}`;
  const name = 'remote-write-4-connections';
  const figure = (end: string, value: number, unit: string): Measurement => {
    return { name: `${name}${end}`, value, unit, conditions };
  };
  return [
    figure('', of(0, rate), 'points/s'),
    figure('-vs-vm', ratio(rate), 'times the points/s of VictoriaMetrics'),
    figure(
      '-p50',
      of(0, ({ p50Ms }) => p50Ms),
      'ms/request',
    ),
    figure(
      '-p99',
      of(0, ({ p99Ms }) => p99Ms),
      'ms/request',
    ),
    figure('-cpu-vs-vm', ratio(cpuRate), 'times the points/CPU s of VictoriaMetrics'),
  ];
}
