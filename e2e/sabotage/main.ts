// `npm run sabotage`: breaks one promise at a time, and requires that the simulator detects each within some seeds, or a
// property test.
import { basename } from 'node:path';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { playSeeds } from '../simulation/seed-pool.ts';
import { SABOTAGES } from './sabotages.ts';
import { isCaughtByTest } from './source-runs.ts';
import { SOURCE_SABOTAGES } from './source-sabotages.ts';

const ALL = [...SABOTAGES, ...SOURCE_SABOTAGES];
const width = Math.max(...ALL.map(({ name }) => name.length));
const HELP = `Usage: npm run sabotage -- [--max-seeds N] [NAME]...

Breaks one promise at a time, those of the names or all, and requires that the simulator detects each:
those within one part, that a property test does.

  --max-seeds N  seeds that may pass before it is detected; default 60
  --help         show this

Names:
${ALL.map(({ name, promise }) => `  ${name.padEnd(width)}  ${promise}`).join('\n')}`;

const { values, positionals } = programOptions(
  { help: HELP },
  { allowPositionals: true, options: { 'max-seeds': { type: 'string', default: '60' } } },
);
const maxSeeds = Number(values['max-seeds']);
if (!(Number.isInteger(maxSeeds) && maxSeeds >= 1)) {
  refuseOptions(`--max-seeds: ${values['max-seeds']} (limit: a whole number, at least 1)`, HELP);
}
const unknown = positionals.find((given) => ALL.every(({ name }) => name !== given));
if (unknown !== undefined) refuseOptions(`unknown sabotage ${unknown}`, HELP);
const isChosen = ({ name }: { readonly name: string }) => positionals.length === 0 || positionals.includes(name);
const chosen = SABOTAGES.filter(isChosen);

const MISSED = 'NOT CAUGHT';
const started = performance.now();
const caught = new Map<string, { readonly seed: number; readonly check: string }>();
const played = new Map<string, number>();
/** Running seeds by sabotage. */
const playing = new Map<string, number>();
await playSeeds(nextTask, (result, { sabotage = '' }) => {
  playing.set(sabotage, (playing.get(sabotage) ?? 0) - 1);
  const known = caught.get(sabotage);
  const caughtBy = SABOTAGES.find(({ name }) => name === sabotage)?.caughtBy ?? [];
  const seen = result.violations.find(({ check }) => caughtBy.includes(check));
  if (seen === undefined || (known !== undefined && known.seed < result.seed)) return;
  caught.set(sabotage, { seed: result.seed, check: seen.check });
});

const rows = chosen.map(({ name, promise }) => {
  const result = caught.get(name);
  return [name, result?.check ?? MISSED, result === undefined ? '-' : `seed ${result.seed}`, promise];
});
for (const sabotage of SOURCE_SABOTAGES.filter(isChosen)) {
  const check = (await isCaughtByTest(sabotage)) ? basename(sabotage.caughtBy) : MISSED;
  rows.push([sabotage.name, check, '-', sabotage.promise]);
}
const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
for (const row of rows) console.log(row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
const missed = rows.filter(([, check]) => check === MISSED);
console.log(`sabotage: ${((performance.now() - started) / 1000).toFixed(1)} s`);
console.log(`${rows.length - missed.length} caught, ${missed.length} not caught`);
process.exit(missed.length === 0 ? 0 : 1);

/**
 * Returns the next seed of a sabotage that is not detected yet. Prefers a sabotage without a running seed, because a
 * running seed may detect it.
 */
function nextTask(): { seed: number; sabotage: string } | undefined {
  const open = chosen.filter(({ name }) => !caught.has(name) && (played.get(name) ?? 0) < maxSeeds);
  const next = open.find(({ name }) => (playing.get(name) ?? 0) === 0) ?? open[0];
  if (next === undefined) return undefined;
  const seed = (played.get(next.name) ?? 0) + 1;
  played.set(next.name, seed);
  playing.set(next.name, (playing.get(next.name) ?? 0) + 1);
  return { seed, sabotage: next.name };
}
