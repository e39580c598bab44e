import { whyNoKafka } from '@tidemark/kafka-brokers';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { runSeed, type SeedOptions, type SeedResult } from './run-seed.ts';
import { PROCESS_SABOTAGES, type ProcessSabotage, sabotageOf } from './sabotages.ts';

const HELP = `Usage: npm run e2e -- kill-everything [--seeds N | --seeds FIRST..LAST] [--sabotage NAME] [--trace] [--keep]

Kills, freezes and disconnects the processes and brokers of a real cluster, and checks that nothing is lost or doubled.

  --seeds N            play seeds 1 to N; default 1
  --seeds FIRST..LAST  play these seeds
  --sabotage NAME      break a promise, which one of the seeds must detect: ${PROCESS_SABOTAGES.map(({ name }) => name).join(', ')}
  --trace              print what happens
  --keep               keep the folder of the cluster
  --help               show this`;
const HOOKS = new URL('./sabotage-hooks.ts', import.meta.url);

/** Runs `npm run e2e -- kill-everything`. Returns the exit code: 0 if every seed was clean. */
export async function killEverything(args: readonly string[]): Promise<number> {
  const { values } = programOptions(
    { help: HELP, args },
    {
      options: {
        seeds: { type: 'string', default: '1' },
        sabotage: { type: 'string' },
        trace: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    },
  );
  const range = /^(?:(\d+)\.\.)?(\d+)$/.exec(values.seeds);
  const sabotage = sabotageOf(values.sabotage ?? '');
  if (range === null) refuseOptions(`--seeds: ${values.seeds} (limit: N, or FIRST..LAST)`, HELP);
  if (values.sabotage !== undefined && sabotage === undefined)
    refuseOptions(`unknown sabotage ${values.sabotage}`, HELP);
  const why = await whyNoKafka();
  if (why !== '') {
    console.log(`cannot run kill-everything: ${why}`);
    return process.env.CI === 'true' ? 1 : 0;
  }
  const options: SeedOptions = {
    report: (text) => {
      if (values.trace) console.log(`  ${text}`);
    },
    keepsFolder: values.keep,
    nodeFlags: sabotage === undefined ? undefined : (name) => flagsOf(sabotage, name),
  };
  const [first, last] = [Number(range[1] ?? 1), Number(range[2])];
  return sabotage === undefined ? playAll(first, last, options) : untilCaught(sabotage, first, last, options);
}

async function playAll(first: number, last: number, options: SeedOptions): Promise<number> {
  const failed: number[] = [];
  for (let seed = first; seed <= last; seed++) {
    const result = await play(seed, options);
    if (result === undefined || result.problems.length > 0) failed.push(seed);
  }
  const seeds = last - first + 1;
  const again = failed.length === 0 ? '' : `: seeds ${failed.join(', ')} are not`;
  console.log(`${seeds - failed.length} of ${seeds} seeds are clean${again}`);
  return failed.length === 0 ? 0 : 1;
}

/** Resolves with 0 when the first seed detects the broken promise. */
async function untilCaught(
  { name, promise, caughtBy }: ProcessSabotage,
  first: number,
  last: number,
  options: SeedOptions,
): Promise<number> {
  for (let seed = first; seed <= last; seed++) {
    const result = await play(seed, options);
    const caught = result?.problems.find((problem) => problem.startsWith(caughtBy));
    if (caught === undefined) continue;
    console.log(`${name} (${promise}) is caught at seed ${seed}`);
    return 0;
  }
  console.log(`${name} (${promise}) is NOT caught by seeds ${first}..${last}`);
  return 1;
}

async function play(seed: number, options: SeedOptions): Promise<SeedResult | undefined> {
  try {
    const result = await runSeed(seed, options);
    print(result);
    return result;
  } catch (error) {
    console.log(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return undefined;
  }
}

function flagsOf({ name, processes }: ProcessSabotage, process: string): string[] {
  return process.startsWith(processes) ? ['--import', `${HOOKS.href}?${name}`] : [];
}

function print(result: SeedResult): void {
  const { seed, acked, found, lost, doubled, wrongComplete, done, seconds } = result;
  const figures = `acked=${acked} found=${found} lost=${lost} doubled=${doubled} wrong_complete=${wrongComplete}`;
  console.log(`seed ${seed}: ${figures} kills=${done.kill}`);
  const deeds = `${done.freeze} freezes, ${done.cut} cuts, ${done['cut-log']} cuts from the log alone, ${done['fill-disk']} full disks`;
  const load = `${result.batches} batches, ${result.resends} sent again, ${result.httpResends} over HTTP sent again, ${result.duplicates} points dropped as repeated, ${result.late} late`;
  const asked = `${result.answers} answers (${result.failedQueries} failed), ${result.completeAnswers} complete with ${result.completeValues} values`;
  const replicas = `${result.hashes} state hashes and ${result.bucketHashes} of buckets compared`;
  console.log(`  ${deeds}; ${load}; ${asked}; ${replicas}`);
  console.log(
    `  seconds: ${Object.entries(seconds)
      .map(([phase, s]) => `${phase} ${s}`)
      .join(', ')}`,
  );
  for (const problem of result.problems) console.log(`  NOT CLEAN: ${problem}`);
}
