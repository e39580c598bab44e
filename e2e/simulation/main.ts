// `npm run simulate -- --seeds 1..100`: plays seeds, prints what was checked and how often each fault fired.
// `npm run simulate -- --seed 17 --trace`: plays one seed again and prints what happened.
import { addFaultCounts, type FaultCount } from '@tidemark/simulation';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { boundOf } from './churn/bounds.ts';
import { runChurn } from './churn/run-churn.ts';
import { FAULT_NAMES } from './faults.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { playSeeds } from './seed-pool.ts';

/** With fewer seeds than this a fault may well not have fired. */
const SEEDS_FOR_ALL_FAULTS = 50;
/** As above, for what happens some twice in 100 seeds, so that 100 seeds miss it in one tree of seven. */
const SEEDS_FOR_RARE: ReadonlyMap<string, number> = new Map([['blocks of earlier eras', 500]]);
const SHOWN_FAILURES = 10;
const SHOWN_VIOLATIONS = 3;

const HELP = `Usage: npm run simulate -- [--seeds FIRST..LAST] [--threads N] | --seed N [--trace] | --churn-hours N [--seed N]

Plays seeds, each a run of a whole cluster in one process with faults, and prints what was checked.

  --seeds FIRST..LAST  seeds to play, or one number; default 1..20
  --threads N          threads; default: the cores of the machine
  --seed N             play one seed in this thread
  --trace              print what happened in it
  --churn-hours N      play hours of churn instead, and print the most entries of each table
  --help               show this`;

const { values } = programOptions(
  { help: HELP },
  {
    options: {
      seeds: { type: 'string', default: '1..20' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      threads: { type: 'string' },
      'churn-hours': { type: 'string' },
    },
  },
);

if (values['churn-hours'] !== undefined) await playChurn(wholeNumber('--churn-hours', values['churn-hours']));
else if (values.seed === undefined) await playMany();
else await playOne(wholeNumber('--seed', values.seed));

async function playOne(seed: number): Promise<void> {
  const result = await runSeed(seed);
  if (values.trace) console.log(result.trace);
  printTable('checked', Object.entries(result.checked));
  printFailure(result);
  process.exitCode = result.violations.length === 0 ? 0 : 1;
}

async function playChurn(hours: number): Promise<void> {
  const started = performance.now();
  const seed = wholeNumber('--seed', values.seed ?? '1');
  const { most, violations, clients, clientSessions, ackedPoints } = await runChurn(seed, hours);
  const rows = Object.entries(most).map(
    ([name, entries]) => [`${name} (limit: ${boundOf(name, clientSessions)})`, entries] as const,
  );
  printTable(`seed ${seed}, most entries within ${hours} hours of ${clients} clients with ${ackedPoints} points`, rows);
  for (const violation of violations) console.log(`seed ${seed}: ${violation}`);
  console.log(`${hours} hours in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}

async function playMany(): Promise<void> {
  const range = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds);
  const first = Number(range?.[1]);
  const last = Number(range?.[2] ?? range?.[1]);
  if (!(first <= last))
    refuseOptions(`--seeds: ${values.seeds} (limit: FIRST..LAST, as in 1..100, or one number)`, HELP);
  const started = performance.now();
  const failures: SeedResult[] = [];
  const faults: Record<string, FaultCount>[] = [];
  const checked: Record<string, number> = {};
  let seed = first;
  await playSeeds(
    () => (seed <= last ? { seed: seed++ } : undefined),
    (result) => {
      faults.push(result.faults);
      for (const [name, count] of Object.entries(result.checked)) checked[name] = (checked[name] ?? 0) + count;
      if (result.violations.length === 0) return;
      failures.push(result);
      if (failures.length <= SHOWN_FAILURES) printFailure(result);
    },
    values.threads === undefined ? undefined : wholeNumber('--threads', values.threads),
  );
  const sums = addFaultCounts(faults);
  printTable('checked', Object.entries(checked));
  printTable(
    'faults fired',
    FAULT_NAMES.map((name) => [name, sums[name]?.fired ?? 0]),
  );
  const seeds = last - first + 1;
  const silent = [
    ...FAULT_NAMES.filter((name) => (sums[name]?.fired ?? 0) === 0),
    ...Object.keys(checked).filter((name) => checked[name] === 0),
  ].filter((name) => seeds >= (SEEDS_FOR_RARE.get(name) ?? SEEDS_FOR_ALL_FAULTS));
  const isSilent = silent.length > 0;
  if (isSilent) console.log(`never happened: ${silent.join(', ')}`);
  const seconds = (performance.now() - started) / 1000;
  console.log(`${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(2)} a second)`);
  console.log(`${seeds - failures.length} passed, ${failures.length} failed${failedSeeds(failures)}`);
  process.exitCode = failures.length > 0 || isSilent ? 1 : 0;
}

function failedSeeds(failures: readonly SeedResult[]): string {
  if (failures.length === 0) return '';
  return `: seeds ${failures.map(({ seed }) => seed).join(', ')}`;
}

function printFailure({ seed, violations }: SeedResult): void {
  if (violations.length === 0) return;
  for (const { check, message } of violations.slice(0, SHOWN_VIOLATIONS)) {
    console.log(`seed ${seed} breaks ${check}: ${message}`);
  }
  console.log(`  again: npm run simulate -- --seed ${seed} --trace`);
}

function printTable(title: string, rows: readonly (readonly [string, number])[]): void {
  console.log(`${title}:`);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, count] of rows) console.log(`  ${name.padEnd(width)}  ${String(count).padStart(10)}`);
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) refuseOptions(`${option}: ${text} (limit: a whole number)`, HELP);
  return Number(text);
}
