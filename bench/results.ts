import { readFileSync, writeFileSync } from 'node:fs';
import { BENCHMARKS } from './benchmarks.ts';
import type { Measurement } from './measurement.ts';

const RESULTS = new URL('results.json', import.meta.url);

/** Names of all figures, in the order of the results. */
export const KNOWN = BENCHMARKS.flatMap(({ names }) => names);

/** Returns the results by name; none when there is no file. */
export function readResults(): Map<string, Measurement> {
  try {
    const results = JSON.parse(readFileSync(RESULTS, 'utf8')) as Measurement[];
    return new Map(results.map((result) => [result.name, result]));
  } catch {
    return new Map();
  }
}

/** Replaces figures in bench/results.json. */
export function record(measured: readonly Measurement[]): void {
  const results = readResults();
  for (const measurement of measured) results.set(measurement.name, measurement);
  const ordered = KNOWN.flatMap((name) => results.get(name) ?? []);
  writeFileSync(RESULTS, `${JSON.stringify(ordered, null, 2)}\n`);
}

/** Prints figures as a table. */
export function print(figures: Iterable<Measurement>): void {
  const rows = Array.from(figures, ({ name, value, unit }) => ({ name, value: Number(value.toPrecision(4)), unit }));
  console.table(rows);
}
