import { type Measurement, machine, median } from './measurement.ts';
import type { LoadShape } from './whole-path/messages.ts';
import { runWholePath, type WholePathResult } from './whole-path/run.ts';

const HOSTS = 500;
/** 2 hours 20 minutes: a bucket of 2 hours closes in the measured part, and late points of it come after that. */
const ROUNDS = 840;
const RUNS = 3;
const SHAPE: LoadShape = { phases: true, jitterMs: 5, churnPerHour: 0.1, lateShare: 0.01 };

/**
 * Claims `whole-path-churn`, `whole-path-churn-cpu` and `bytes-per-point-churn`: the path of `whole-path-embedded`, with what
 * makes a day in operation costly.
 */
export async function wholePathChurn(): Promise<Measurement[]> {
  const runs: WholePathResult[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await runWholePath(HOSTS, ROUNDS, { shape: SHAPE, closes: 1 }));
  for (const { report, latePoints } of runs) {
    if (report.duplicatePoints > 0) throw new Error(`${report.duplicatePoints} duplicate points`);
    if (report.latePoints !== latePoints) throw new Error(`${report.latePoints} late points, expected ${latePoints}`);
    if (report.closedBuckets !== 1) throw new Error(`${report.closedBuckets} buckets closed, expected 1`);
  }
  const [{ newSeries }] = runs;
  const queries = median(runs.map(({ queryCpuSeconds, platformCpuSeconds }) => queryCpuSeconds / platformCpuSeconds));
  const conditions =
    `${RUNS} runs, median; data, client and platform as whole-path-embedded, ${HOSTS * 100} series, ${ROUNDS} rounds; each of ` +
    `${HOSTS} hosts is scraped at a phase of its own, ±${SHAPE.jitterMs} ms; ${SHAPE.churnPerHour * 100}% of the hosts are replaced in an hour, ` +
    `${newSeries} new series; ${SHAPE.lateShare * 100}% of the scrapes come 15 to 45 minutes late; ` +
    `the final queries are ${Math.round(queries * 100)}% of the CPU; ${machine()}`;
  return [
    {
      name: 'whole-path-churn',
      value: median(runs.map(({ points, wallSeconds }) => points / wallSeconds)),
      unit: 'points/s',
      conditions,
    },
    {
      name: 'whole-path-churn-cpu',
      value: median(runs.map(({ points, platformCpuSeconds }) => points / platformCpuSeconds)),
      unit: 'points/CPU s of the platform',
      conditions,
    },
    {
      name: 'bytes-per-point-churn',
      value: median(runs.map(({ report, storeBytes }) => storeBytes / report.points)),
      unit: 'bytes/point',
      conditions: `${conditions}; versions of pages that were merged, and that RocksDB has not compacted yet, included`,
    },
  ];
}
