import { type Measurement, machine } from './measurement.ts';
import { type MemoryOptions, type MemoryResult, runMemory } from './memory/run.ts';

const HOURS_3_ROUNDS = 1080;
const STEP_MS = 10_000;
/** 80 times as fast as the data: 800,000 points/s. */
const PACE_MS = 125;
const BASE = { rounds: HOURS_3_ROUNDS, stepMs: STEP_MS, inFlight: 32, queryTimes: 3 } as const;

/**
 * Claims `rss-100k-series` and `rss-100k-series-paced`: the peak of the resident memory of a platform with defaults, while three
 * hours of 100,000 series come, and through queries afterwards.
 */
export async function rss100kSeries(): Promise<Measurement[]> {
  const spread = { ...BASE, hosts: 1000, metrics: 100 };
  // Compiles what the others then find, as a platform does from its second start on.
  await runMemory({ ...spread, hosts: 1, rounds: 1, queryTimes: 0, paceMs: 0 });
  return [
    measured('rss-100k-series', 'full speed', await runMemory({ ...spread, paceMs: 0 })),
    measured('rss-100k-series-paced', 'a round each 125 ms', await runMemory({ ...spread, paceMs: PACE_MS })),
  ];
}

function measured(name: string, how: string, result: MemoryResult): Measurement {
  const { points, buckets, ingestPeakBytes, ingestedBytes, queriedBytes, peakBytes } = result;
  const conditions =
    `VmHWM of the platform with defaults, without an agent; 100,000 series, 9 tags of 216 bytes, 10 s apart, ${how}: ` +
    `${(points / 1e6).toFixed(0)} M points, buckets closed ${buckets}; peak while they came ${mib(ingestPeakBytes)}, behind them ` +
    `${mib(ingestedBytes)}; then queries through HTTP, 3 times each: 1 series, sum and rate by region of a metric, rate by region of ` +
    `all series, 6 hours of a metric; at the end ${mib(queriedBytes)}; 1 run; ${machine()}`;
  return { name, value: peakBytes / 2 ** 20, unit: 'MiB', conditions };
}

const MILLION: MemoryOptions = {
  ...{ hosts: 10_000, metrics: 100, rounds: 125, stepMs: 60_000, inFlight: 3, paceMs: 0, queryTimes: 0 },
};

/** Claim `bytes-per-active-series`: resident memory of all of the platform for each of a million series. */
export async function bytesPerActiveSeries(): Promise<Measurement[]> {
  const { points, buckets, ingestedBytes, peakBytes } = await runMemory(MILLION);
  const series = MILLION.hosts * MILLION.metrics;
  const conditions =
    `VmRSS of the platform with defaults, without an agent, by 1,000,000 series with 9 tags of 216 bytes, when two hours of points ` +
    `60 s apart are in (${(points / 1e6).toFixed(0)} M points at full speed, buckets closed ${buckets}); at the peak ` +
    `${(peakBytes / series).toFixed(0)} bytes; 1 run; ${machine()}`;
  return [{ name: 'bytes-per-active-series', value: ingestedBytes / series, unit: 'bytes/series', conditions }];
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
