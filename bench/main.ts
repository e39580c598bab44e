import { programOptions, refuseOptions } from '../tools/program-options.ts';
import { BENCHMARKS } from './benchmarks.ts';
import { KNOWN, print, readResults, record } from './results.ts';

/**
 * `npm run bench [-- NAME…] [--check]`: runs benchmarks, prints a table and updates bench/results.json. `--check` fails
 * if a name or a condition is missing there, never because a run was slow. Without names it only checks.
 */
const HELP = `Usage: npm run bench -- [NAME]... [--check]

Runs the benchmarks of the names, prints a table and updates bench/results.json. Without names it only checks.

  --check  fail if a name or a condition is missing in bench/results.json, never because a run was slow
  --help   show this

Names: ${KNOWN.join(', ')}`;

const { values, positionals: names } = programOptions(
  { help: HELP },
  { allowPositionals: true, options: { check: { type: 'boolean', default: false } } },
);
const isCheck = values.check;
const unknown = names.filter((name) => !KNOWN.includes(name));
if (unknown.length > 0) refuseOptions(`unknown benchmark ${unknown.join(', ')}`, HELP);

for (const benchmark of BENCHMARKS) {
  const isWanted = names.length === 0 ? !isCheck : benchmark.names.some((name) => names.includes(name));
  if (!isWanted) continue;
  console.error(`running ${benchmark.names.join(', ')}`);
  record(await benchmark.run());
}
const results = readResults();
print(results.values());
if (isCheck) {
  const missing = KNOWN.filter((name) => (results.get(name)?.conditions ?? '') === '');
  if (missing.length > 0) {
    console.error(
      `bench/results.json has no figure or no conditions for ${missing.join(', ')}; run npm run bench with these names`,
    );
    process.exit(1);
  }
}
process.exit(0);
