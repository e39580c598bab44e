// `npm run fuzz -- [TARGET…] [--minutes N | --seconds N | --total N] [--seed N] [--threads N] [--grow] [--list]`: feeds
// mutated input to every parser and listener, and keeps each input for which something does not hold.
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { keepInput } from './corpus.ts';
import { fuzzAll, type PoolPlan } from './fuzz-pool.ts';
import type { FuzzResult } from './run-target.ts';
import { TARGETS } from './targets/index.ts';

const MAX_MINUTES = 10_000;
const MAX_SECONDS = MAX_MINUTES * 60;
const MAX_THREADS = 64;
const DEFAULT_SECONDS = 20;
const MAX_KEPT_BYTES = 2048;

const names = TARGETS.map(({ name }) => name);
const HELP = `Usage: npm run fuzz -- [TARGET…] [--minutes N | --seconds N | --total N] [--seed N] [--threads N] [--grow]

Feeds mutated input to parsers and listeners. Each target runs for the time given, ${DEFAULT_SECONDS} s by default. An input for
which something does not hold is made smaller, and kept in e2e/fuzz/corpus/TARGET.

  --minutes N, --seconds N  time of each target; 0 runs the corpus only
  --total N                 seconds of all targets together: parsers share the threads, listeners have one of their own
  --seed N                  seed of the mutations, printed by each run
  --threads N               parsers that run at the same time
  --grow                    keeps inputs of up to ${MAX_KEPT_BYTES} bytes that reach new code in the corpus
  --list                    prints the targets

Targets: ${names.join(', ')}. Default: all.`;

const { values, positionals } = programOptions(
  { help: HELP },
  {
    allowPositionals: true,
    options: {
      minutes: { type: 'string' },
      seconds: { type: 'string' },
      total: { type: 'string' },
      seed: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      grow: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  },
);
if (values.list) {
  console.log(names.join('\n'));
  process.exit(0);
}
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) refuseOptions(`unknown target ${unknown} (use --list)`, HELP);
const seed = numberOf('seed', values.seed ?? String(Math.floor(Math.random() * 1e9)), Number.MAX_SAFE_INTEGER);
const threads = Math.max(1, numberOf('threads', values.threads, MAX_THREADS));
const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const forMs = timeOfEach();
const isMutating = [values.minutes, values.seconds, values.total].every((time) => Number(time ?? 1) > 0);

console.log(`seed ${seed}`);
let found = 0;
await fuzzAll(chosen, { seed, forMs }, threads, show);
console.log(found === 0 ? 'nothing found' : `${found} found`);
process.exit(found > 0 ? 1 : 0);

function show({ target, runs, mutations, findings, fresh }: FuzzResult): void {
  const counts = [`${String(runs).padStart(9)} inputs`, `${mutations} mutated`, `${fresh.length} reached new code`];
  console.log(`${target.padEnd(24)} ${counts.join(', ')}`);
  if (isMutating && mutations === 0 && findings.length === 0) {
    found++;
    console.log('  no input was mutated: the seeds and the corpus alone find nothing new');
  }
  for (const { message, input } of findings) {
    found++;
    console.log(`  ${message.replaceAll('\n', '\n  ')}`);
    console.log(`  kept as ${relative(process.cwd(), keepInput(target, 'found', input))} (${input.length} bytes)`);
    if (input.length <= MAX_KEPT_BYTES) console.log(`  ${Buffer.from(input).toString('base64')}`);
  }
  if (!values.grow) return;
  for (const input of fresh) if (input.length <= MAX_KEPT_BYTES) keepInput(target, 'new', input);
}

/** Returns how long a target runs, ms, of which so many are left for so many threads. */
function timeOfEach(): PoolPlan['forMs'] {
  if (values.total !== undefined) {
    const endMs = performance.now() + numberOf('total', values.total, MAX_SECONDS) * 1000;
    // A target that begins after the end still mutates for a second.
    const minMs = Number(values.total) > 0 ? 1 : 0;
    return (left, workers) => Math.max(minMs, ((endMs - performance.now()) * Math.min(workers, left)) / left);
  }
  const eachMs =
    values.minutes === undefined
      ? numberOf('seconds', values.seconds ?? String(DEFAULT_SECONDS), MAX_SECONDS) * 1000
      : numberOf('minutes', values.minutes, MAX_MINUTES) * 60_000;
  return () => eachMs;
}

function numberOf(option: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0 && number <= max) return number;
  return refuseOptions(`--${option}: ${text} (limit: 0 to ${max})`, HELP);
}
