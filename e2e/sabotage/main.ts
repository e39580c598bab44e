// `npm run sabotage`: breaks one promise at a time, and demands that the simulator sees each within some seeds.
import { parseArgs } from 'node:util';
import { playSeeds } from '../simulation/seed-pool.ts';
import { SABOTAGES } from './sabotages.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'max-seeds': { type: 'string', default: '60' } },
});
const maxSeeds = Number(values['max-seeds']);
const chosen = SABOTAGES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0 || !(maxSeeds >= 1)) {
  console.error(
    `usage: npm run sabotage -- [--max-seeds N] [NAME...], names: ${SABOTAGES.map(({ name }) => name).join(' ')}`,
  );
  process.exit(2);
}

const started = performance.now();
const caught = new Map<string, { readonly seed: number; readonly check: string }>();
const played = new Map<string, number>();
await playSeeds(nextTask, (result, { sabotage = '' }) => {
  const known = caught.get(sabotage);
  const caughtBy = SABOTAGES.find(({ name }) => name === sabotage)?.caughtBy ?? [];
  const seen = result.violations.find(({ check }) => caughtBy.includes(check));
  if (seen === undefined || (known !== undefined && known.seed < result.seed)) return;
  caught.set(sabotage, { seed: result.seed, check: seen.check });
});

const rows = chosen.map(({ name, promise }) => {
  const result = caught.get(name);
  return [name, result?.check ?? 'NOT CAUGHT', result === undefined ? '-' : `seed ${result.seed}`, promise];
});
const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
for (const row of rows) console.log(row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
const missed = chosen.filter(({ name }) => !caught.has(name));
console.log(`sabotage: ${((performance.now() - started) / 1000).toFixed(1)} s`);
console.log(`${chosen.length - missed.length} caught, ${missed.length} not caught`);
process.exit(missed.length === 0 ? 0 : 1);

/** The seeds of one sabotage in turn, until it is caught. */
function nextTask(): { seed: number; sabotage: string } | undefined {
  for (const { name } of chosen) {
    const seeds = played.get(name) ?? 0;
    if (caught.has(name) || seeds >= maxSeeds) continue;
    played.set(name, seeds + 1);
    return { seed: seeds + 1, sabotage: name };
  }
  return undefined;
}
