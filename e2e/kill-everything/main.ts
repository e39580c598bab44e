import { parseArgs } from 'node:util';
import { whyNoKafka } from '@tidemark/kafka-cluster';
import { runSeed, type SeedResult } from './run-seed.ts';

const USAGE = 'usage: npm run e2e -- kill-everything [--seeds N | --seeds FIRST..LAST] [--trace] [--keep]';

/** `npm run e2e -- kill-everything`. Resolves with the exit code: 0 when every seed was clean. */
export async function killEverything(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1' },
      trace: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const range = /^(?:(\d+)\.\.)?(\d+)$/.exec(values.seeds);
  if (range === null) {
    console.error(USAGE);
    return 2;
  }
  const why = await whyNoKafka();
  if (why !== '') {
    console.log(`kill-everything can't run: ${why}`);
    return process.env.CI === 'true' ? 1 : 0;
  }
  const first = Number(range[1] ?? 1);
  const last = Number(range[2]);
  const failed: number[] = [];
  for (let seed = first; seed <= last; seed++) {
    const result = await runSeed(seed, {
      tell: (text) => {
        if (values.trace) console.log(`  ${text}`);
      },
      keepsFolder: values.keep,
    }).catch((error: unknown) => {
      console.log(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return undefined;
    });
    if (result !== undefined) print(result);
    if (result === undefined || result.problems.length > 0) failed.push(seed);
  }
  const seeds = last - first + 1;
  const again = failed.length === 0 ? '' : `: seeds ${failed.join(', ')}`;
  console.log(`${seeds - failed.length} of ${seeds} seeds are clean${again}`);
  return failed.length === 0 ? 0 : 1;
}

function print(result: SeedResult): void {
  const { seed, acked, found, lost, doubled, wrongComplete, done, seconds } = result;
  const figures = `acked=${acked} found=${found} lost=${lost} doubled=${doubled} wrong_complete=${wrongComplete}`;
  console.log(`seed ${seed}: ${figures} kills=${done.kill}`);
  const deeds = `${done.freeze} freezes, ${done.cut} cuts, ${done['fill-disk']} full disks`;
  const load = `${result.batches} batches, ${result.resends} sent again, ${result.duplicates} points dropped as repeated, ${result.late} late`;
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
