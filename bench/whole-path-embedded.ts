import { type Measurement, machine, median } from './measurement.ts';
import { runWholePath, type WholePathResult } from './whole-path/run.ts';

const HOSTS = 1000;
/** 3 hours 20 minutes: a bucket of 2 hours closes in the measured part. */
const ROUNDS = 1200;
const RUNS = 3;

/**
 * Claims `whole-path-embedded`, `whole-path-embedded-cpu`, `client-cpu`, `bytes-per-point-log` and
 * `bytes-per-point-store`: points from a client process over gRPC through validation, tags, log, de-duplication and both stores, until a query counts
 * them all.
 */
export async function wholePathEmbedded(): Promise<Measurement[]> {
  const runs: WholePathResult[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await runWholePath(HOSTS, ROUNDS, { closes: 1 }));
  for (const { report } of runs) {
    if (report.latePoints > 0 || report.duplicatePoints > 0) throw new Error('late or duplicate points in a clean run');
    if (report.closedBuckets !== 1) throw new Error(`${report.closedBuckets} buckets closed, expected 1`);
  }
  const data =
    `${RUNS} runs, median; ${HOSTS * 100} series, 9 tags of 216 bytes, ${ROUNDS} rounds 10 s apart in one batch each, ` +
    '40% counters, 40% gauges of 1-2 decimals, 20% constants; client in its own process over gRPC, 32 batches in ' +
    'flight, series defined before; 4 partitions, 2 store threads; fsync on; late = 0; a bucket of 2 hours closes in each partition';
  const conditions = `${data}; ${machine()}`;
  const last = runs[runs.length - 1];
  return [
    {
      name: 'whole-path-embedded',
      value: median(runs.map(({ points, wallSeconds }) => points / wallSeconds)),
      unit: 'points/s',
      conditions: `${conditions}; generator on the same cores, ${last.generatorCpuSeconds.toFixed(1)} CPU s of its own`,
    },
    {
      name: 'whole-path-embedded-cpu',
      value: median(runs.map(({ points, platformCpuSeconds }) => points / platformCpuSeconds)),
      unit: 'points/CPU s of the platform',
      conditions,
    },
    {
      name: 'client-cpu',
      value: median(runs.map(({ points, generatorCpuSeconds }) => (generatorCpuSeconds / points) * 1e9)),
      unit: 'ns of CPU/point',
      conditions: `${conditions}; all of the client process: routing, encoding, gRPC, collections; values made before; a heap that grows freely`,
    },
    {
      name: 'bytes-per-point-log',
      value: median(runs.map(({ report }) => report.logBytes / report.points)),
      unit: 'bytes/point',
      conditions: `${conditions}; blocks with headers, spans and definitions`,
    },
    {
      name: 'bytes-per-point-store',
      value: median(runs.map(({ report, storeBytes }) => storeBytes / report.points)),
      unit: 'bytes/point',
      conditions: `${conditions}; the whole RocksDB folder after a clean stop: pages, keys, series, WAL`,
    },
  ];
}
