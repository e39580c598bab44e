import { type Measurement, machine, median } from './measurement.ts';
import { type RemoteWriteResult, runRemoteWrite } from './remote-write/run.ts';

const SERIES = 100_000;
const ROUNDS = 200;
const CONNECTIONS = 20;
const RUNS = 3;

/**
 * Claims `remote-write-cpu` and `remote-write`: Prometheus remote write from a process of its own into a fresh platform
 * over the embedded log, until queries count every sample.
 */
export async function remoteWriteCpu(): Promise<Measurement[]> {
  const runs: RemoteWriteResult[] = [];
  for (let run = 0; run < RUNS; run++) {
    runs.push(await runRemoteWrite(SERIES, ROUNDS, { connections: CONNECTIONS }));
  }
  const [last] = runs.slice(-1);
  const conditions =
    `${RUNS} runs, median; ${SERIES} series, 9 labels of 216 bytes, ${ROUNDS} rounds, 5,000 samples a body, each of another series, ` +
    '40% counters, 40% gauges of 1-2 decimals, 20% constants; bodies encoded before, sent by a process of its own over ' +
    `${CONNECTIONS} connections (${last.senderCpuSeconds.toFixed(1)} CPU s of its own on the same cores); series defined before (` +
    `${last.definingCpuSeconds.toFixed(1)} CPU s); 4 partitions, 2 store threads; fsync on; retries ${last.retries}; ${machine()}`;
  return [
    {
      name: 'remote-write-cpu',
      value: median(runs.map(({ points, platformCpuSeconds }) => points / platformCpuSeconds)),
      unit: 'points/CPU s of the platform',
      conditions,
    },
    {
      name: 'remote-write',
      value: median(runs.map(({ points, wallSeconds }) => points / wallSeconds)),
      unit: 'points/s',
      conditions,
    },
  ];
}
