import { readFileSync, writeFileSync } from 'node:fs';
import { programOptions, refuseOptions } from '../tools/program-options.ts';
import { bucketClose } from './bucket-close.ts';
import { intake } from './intake.ts';
import { logAppend } from './log-append.ts';
import { logAppendKafka } from './log-append-kafka.ts';
import type { Measurement } from './measurement.ts';
import { newSeries } from './new-series.ts';
import { pages } from './pages.ts';
import { pointStoreAppend } from './point-store-append.ts';
import { remoteWriteFourConnections } from './remote-write-4-connections.ts';
import { remoteWriteCpu } from './remote-write-cpu.ts';
import { seriesTables } from './series-tables.ts';
import { wholePathEmbedded } from './whole-path-embedded.ts';
import { wholePathKafka } from './whole-path-kafka.ts';
import { worstStall } from './worst-stall.ts';

/**
 * `npm run bench [-- NAME…] [--check]`: runs benchmarks, prints a table and updates bench/results.json. `--check` fails
 * if a name or a condition is missing there, never because a run was slow. Without names it only checks.
 */
const BENCHMARKS: readonly { readonly names: readonly string[]; readonly run: () => Promise<Measurement[]> }[] = [
  {
    names: [
      'whole-path-embedded',
      'whole-path-embedded-cpu',
      'client-cpu',
      'bytes-per-point-log',
      'bytes-per-point-store',
    ],
    run: wholePathEmbedded,
  },
  { names: ['whole-path-kafka', 'whole-path-kafka-cpu'], run: wholePathKafka },
  { names: ['remote-write-cpu', 'remote-write'], run: remoteWriteCpu },
  {
    names: [
      'remote-write-4-connections',
      'remote-write-4-connections-vs-vm',
      'remote-write-4-connections-p50',
      'remote-write-4-connections-p99',
      'remote-write-4-connections-cpu-vs-vm',
    ],
    run: remoteWriteFourConnections,
  },
  { names: ['intake'], run: intake },
  { names: ['log-append'], run: logAppend },
  { names: ['log-append-kafka', 'log-append-kafka-cpu'], run: logAppendKafka },
  { names: ['point-store-append'], run: pointStoreAppend },
  { names: ['bucket-close'], run: bucketClose },
  { names: ['page-encode', 'page-decode', 'head-append', 'head-flush'], run: pages },
  {
    names: [
      'series-tables-find-without-key',
      'series-tables-find-keyed',
      'series-tables-chosen-without-key',
      'series-tables-chosen-keyed',
    ],
    run: seriesTables,
  },
  {
    names: [
      'new-series',
      'new-series-define',
      'new-series-publish',
      'new-series-store',
      'new-series-remote-write',
      'new-series-datadog',
    ],
    run: newSeries,
  },
  { names: ['worst-stall', 'worst-stall-cpu'], run: worstStall },
];
const RESULTS = new URL('results.json', import.meta.url);

const known = BENCHMARKS.flatMap((benchmark) => benchmark.names);
const HELP = `Usage: npm run bench -- [NAME]... [--check]

Runs the benchmarks of the names, prints a table and updates bench/results.json. Without names it only checks.

  --check  fail if a name or a condition is missing in bench/results.json, never because a run was slow
  --help   show this

Names: ${known.join(', ')}`;

const { values, positionals: names } = programOptions(
  { help: HELP },
  { allowPositionals: true, options: { check: { type: 'boolean', default: false } } },
);
const isCheck = values.check;
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) refuseOptions(`unknown benchmark ${unknown.join(', ')}`, HELP);

const results = new Map(readResults().map((result) => [result.name, result]));
for (const benchmark of BENCHMARKS) {
  const isWanted = names.length === 0 ? !isCheck : benchmark.names.some((name) => names.includes(name));
  if (!isWanted) continue;
  console.error(`running ${benchmark.names.join(', ')}`);
  for (const measurement of await benchmark.run()) results.set(measurement.name, measurement);
  const ordered = known.flatMap((name) => results.get(name) ?? []);
  writeFileSync(RESULTS, `${JSON.stringify(ordered, null, 2)}\n`);
}
console.table(
  [...results.values()].map(({ name, value, unit }) => ({ name, value: Number(value.toPrecision(4)), unit })),
);
if (isCheck) {
  const missing = known.filter((name) => (results.get(name)?.conditions ?? '') === '');
  if (missing.length > 0) {
    console.error(
      `bench/results.json has no figure or no conditions for ${missing.join(', ')}; run npm run bench with these names`,
    );
    process.exit(1);
  }
}
process.exit(0);

function readResults(): Measurement[] {
  try {
    return JSON.parse(readFileSync(RESULTS, 'utf8')) as Measurement[];
  } catch {
    return [];
  }
}
