import { exceeds, growthOf, type Sample } from './growth.ts';

const MIB = 1_048_576;

/** How much a figure may grow in an hour. The first rule whose pattern matches its name counts. */
const LIMITS: readonly (readonly [name: RegExp, perHour: number, because: string])[] = [
  [/^memory: heap/, 40 * MIB, 'an act of churn that keeps 200 bytes needs more'],
  [/^memory: outside/, 40 * MIB, 'as the heaps'],
  [/^memory: process/, 1024 * MIB, 'the write buffers of eight databases fill up, 64 MiB each'],
  [/^disk: log/, 24 * MIB, 'control is trimmed every 10,000 records, after more than an hour'],
  [/^disk: /, MIB, 'nothing stays'],
  [/state_hashes$/, 500, 'until the bound of 64 in each partition'],
  [/^status.points.clients$/, 150_000, 'below 100,000 of a tenant in each partition'],
  [/^(open files|threads)/, 60, 'connections that are open at a sample differ'],
  [/./, 0, 'a table has a bound'],
];

/** Prints the growth of each figure; returns whether all are within their limits. */
export function showGrowth(samples: ReadonlyMap<string, readonly Sample[]>): boolean {
  let isWithin = true;
  console.log(`${''.padEnd(40)} ${'at first'.padStart(12)} ${'at last'.padStart(12)} ${'per hour'.padStart(12)}`);
  for (const [name, own] of [...samples].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const growth = growthOf(own);
    const [, limit] = LIMITS.find(([pattern]) => pattern.test(name)) ?? [/./, 0];
    const isOver = exceeds(growth, limit);
    if (isOver) isWithin = false;
    const [first, last] = [own[0].value, own[own.length - 1].value].map((value) => value.toFixed(0).padStart(12));
    const slope = `${growth.perHour.toFixed(0).padStart(12)} ± ${growth.errorPerHour.toFixed(0)}`;
    console.log(`${name.padEnd(40)} ${first} ${last} ${slope} (limit: ${limit})${isOver ? '  EXCEEDED' : ''}`);
  }
  return isWithin;
}
