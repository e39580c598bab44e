// `npm run flip -- --seeds 1..200`: flips one bit of a stopped data folder, or cuts or removes one file, starts on it, and
// compares every answer with what was acknowledged. `npm run flip -- --again FOLDER`: starts on a kept folder again.

import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '@tidemark/simulation';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { applyFlip, chooseFlip, type Flip, flipText } from './choose-flip.ts';
import { FOLDER_KINDS, type MadeFolder, makeFolder } from './make-folder.ts';
import { Player } from './player.ts';
import type { FlipResult, Outcome } from './run-flip.ts';

const HELP = `Usage: npm run flip -- [--seeds N | --seeds FIRST..LAST] [--jobs N] [--files PREFIX] | --again FOLDER

Makes data folders. For each seed it flips one bit of a copy, or cuts or removes a file of it, starts a platform on it, and
asks for everything that was acknowledged. An answer must be right or say what it lacks, and a refused start must name the
file and what to do.

  --seeds N, FIRST..LAST  seeds to play, 1..N or FIRST..LAST; default 1..20
  --jobs N                processes that play seeds; default 1
  --files PREFIX          damage only files whose names begin so, as agent/ or log/control/
  --again FOLDER          start on a folder that a failed seed has left, damaged as it was
  --help                  show this`;

/** In memory, where fsync costs nothing: the faults are in the files, not in the disk. */
const FAST_FOLDER = '/dev/shm';
const SHOWN_FAILURES = 20;
const PROGRESS_EVERY = 50;

interface Kept {
  readonly seed: number;
  readonly made: MadeFolder;
  readonly flip: Flip;
}

const { values } = programOptions(
  { help: HELP },
  {
    options: {
      seeds: { type: 'string', default: '20' },
      jobs: { type: 'string', default: '1' },
      files: { type: 'string', default: '' },
      again: { type: 'string' },
    },
  },
);

let shownFailures = 0;
const parent = await mkdtemp(join(existsSync(FAST_FOLDER) ? FAST_FOLDER : tmpdir(), 'tidemark-flip-'));
try {
  process.exitCode = values.again === undefined ? await playSeeds() : await playAgain(values.again);
} finally {
  await rm(parent, { recursive: true, force: true });
}

async function playSeeds(): Promise<number> {
  const [first, last] = seedRange(values.seeds);
  const jobs = wholeNumber('--jobs', values.jobs);
  const startedMs = performance.now();
  // Platforms that are made wait for disks and for each other most of the time.
  const made = await Promise.all(FOLDER_KINDS.map((kind) => makeFolder(kind, parent, values.files)));
  const madeMs = performance.now();
  const results: FlipResult[] = [];
  let next = first;
  const playNext = async (job: number): Promise<void> => {
    const player = new Player();
    for (let seed = next++; seed <= last; seed = next++) {
      const result = await playSeed(player, seed, made[seed % made.length], join(parent, `work-${job}`));
      results.push(result);
      if (results.length % PROGRESS_EVERY === 0) console.log(`${results.length} flips: ${summary(results)}`);
    }
    await player.end();
  };
  await Promise.all(Array.from({ length: jobs }, (_, job) => playNext(job)));
  for (const outcome of ['right', 'said', 'refused'] as const) printByFile(results, outcome);
  const seconds = (performance.now() - madeMs) / 1000;
  console.log(`folders made in ${((madeMs - startedMs) / 1000).toFixed(1)} s`);
  console.log(`${results.length} flips in ${seconds.toFixed(1)} s (${(results.length / seconds).toFixed(2)} a second)`);
  console.log(summary(results));
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

async function playSeed(player: Player, seed: number, made: MadeFolder, work: string): Promise<FlipResult> {
  const startedMs = performance.now();
  const played = await player.play({ seed, made, work });
  if (typeof played !== 'string' && played.outcome !== 'failed') return played;
  const flip = await chooseFlip(made.settings.folder, new SeededRandom(seed), made.files);
  const result: FlipResult =
    typeof played === 'string'
      ? { seed, folder: made.kind, flip, outcome: 'failed', detail: played, tookMs: performance.now() - startedMs }
      : played;
  if (shownFailures++ < SHOWN_FAILURES) {
    console.log(`seed ${seed} fails: ${placeOf(result)}: ${result.detail}`);
    console.log(`  again: npm run flip -- --again ${await keep(seed, made, flip)}`);
  }
  return result;
}

/** Keeps the damaged folder of a seed, as it was before the start. */
async function keep(seed: number, made: MadeFolder, flip: Flip): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `tidemark-flip-seed-${seed}-`));
  await cp(made.settings.folder, join(folder, 'data'), { recursive: true, preserveTimestamps: true });
  await applyFlip(join(folder, 'data'), flip);
  await writeFile(join(folder, 'flip.json'), JSON.stringify({ seed, made, flip } satisfies Kept));
  return folder;
}

async function playAgain(folder: string): Promise<number> {
  const { seed, made, flip } = JSON.parse(await readFile(join(folder, 'flip.json'), 'utf8')) as Kept;
  const work = join(parent, 'work');
  await mkdir(work);
  await cp(join(folder, 'data'), work, { recursive: true, preserveTimestamps: true });
  const player = new Player();
  const played = await player.play({ seed, made, work, flipped: flip });
  await player.end();
  console.log(typeof played === 'string' ? played : `${played.outcome}: ${placeOf(played)}: ${played.detail}`);
  return typeof played !== 'string' && played.outcome !== 'failed' ? 0 : 1;
}

function placeOf({ folder, flip }: FlipResult): string {
  return `${flipText(flip)} of the folder "${folder}"`;
}

function summary(results: readonly FlipResult[]): string {
  const count = (wanted: Outcome) => results.filter(({ outcome }) => outcome === wanted).length;
  return `${count('right')} answered right, ${count('said')} said what is missing, ${count('refused')} refused the start, ${count('failed')} failed`;
}

/** Prints how many seeds ended so, by kind of file, with an example of what was said. */
function printByFile(results: readonly FlipResult[], wanted: Outcome): void {
  const kinds = new Map<string, FlipResult[]>();
  for (const result of results.filter(({ outcome }) => outcome === wanted)) {
    const { file, kind: way } = result.flip;
    const kind = `${file.replace(/[0-9a-f]{32}/, 'SESSION').replace(/\d+/g, 'N')}${way === 'bit' ? '' : ` ${way}`}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), result]);
  }
  if (kinds.size === 0) return;
  console.log(`${wanted}:`);
  for (const [kind, [one, ...rest]] of [...kinds].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(
      `  ${String(rest.length + 1).padStart(5)}  ${kind.padEnd(44)} ${wanted === 'right' ? '' : one.detail}`.trimEnd(),
    );
  }
}

function seedRange(text: string): [first: number, last: number] {
  const range = /^(\d+)(?:\.\.(\d+))?$/.exec(text);
  const [first, last] = range?.[2] === undefined ? [1, Number(range?.[1])] : [Number(range[1]), Number(range[2])];
  if (!(first <= last)) return refuseOptions(`--seeds: ${text} (limit: N, or FIRST..LAST)`, HELP);
  return [first, last];
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) refuseOptions(`${option}: ${text} (limit: a whole number, at least 1)`, HELP);
  return Number(text);
}
