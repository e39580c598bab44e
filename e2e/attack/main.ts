// `npm run attack -- --minutes N [--only NAME,…]`: attacks a platform in all ways at once, next to a well-behaved
// tenant that sends and queries, and prints what that tenant noticed.
import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks.ts';
import { type AttackOptions, type AttackReport, LATENESS_MS, percentile, runAttack } from './run-attack.ts';

const MAX_MINUTES = 1000;
const P99_LIMIT_MS = 500;
const LAG_LIMIT_MS = LATENESS_MS + 2000;
const STALL_LIMIT_MS = 250;
const USAGE = `usage: npm run attack -- [--minutes N] [--only ${Object.keys(ATTACKS).join(',')}]`;

process.exit(await attack(process.argv.slice(2)));

async function attack(args: readonly string[]): Promise<number> {
  let options: AttackOptions | undefined;
  try {
    options = parsed(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const report = await runAttack(options);
  for (const problem of report.problems) console.error(problem);
  return show(report) && report.problems.length === 0 ? 0 : 1;
}

function parsed(args: readonly string[]): AttackOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: 'string', default: '1' }, only: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return undefined;
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= MAX_MINUTES)) {
    throw new Error(`--minutes: ${values.minutes} (limit: above 0, up to ${MAX_MINUTES})`);
  }
  const names = values.only?.split(',') ?? Object.keys(ATTACKS);
  const unknown = names.find((name) => !Object.hasOwn(ATTACKS, name));
  if (unknown !== undefined) throw new Error(`--only: ${unknown} (one of: ${Object.keys(ATTACKS).join(', ')})`);
  return { minutes, names };
}

/** Prints the figures; returns whether all are within their limits. */
function show({ sent, asked, refusals, lagsMs, stallsMs, stallsCpuMs }: AttackReport): boolean {
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  const rows = [
    ['sends, p99', percentile(sent, 0.99), P99_LIMIT_MS, 'ms'],
    ['sends, worst', percentile(sent, 1), undefined, 'ms'],
    ['queries, p99', percentile(asked, 0.99), P99_LIMIT_MS, 'ms'],
    ['queries, worst', percentile(asked, 1), undefined, 'ms'],
    ['complete_through behind, worst', percentile(lagsMs, 1), LAG_LIMIT_MS, 'ms'],
    ['refused requests', refused, 0, `of ${sent.length + asked.length + refused}`],
    ['event loop delay, p99 of seconds', percentile(stallsMs, 0.99), undefined, 'ms'],
    ['event loop delay, worst', percentile(stallsMs, 1), STALL_LIMIT_MS, 'ms'],
    ['CPU time between timers, worst', percentile(stallsCpuMs, 1), undefined, 'ms'],
  ] as const;
  for (const [name, value, limit, unit] of rows) {
    const shown = `${name.padEnd(34)} ${value.toFixed(0).padStart(7)} ${unit}`;
    console.log(limit === undefined ? shown : `${shown}  (limit: ${limit})${value > limit ? '  EXCEEDED' : ''}`);
  }
  for (const [reason, count] of Object.entries(refusals)) console.log(`  refused ${count} × ${reason}`);
  return rows.every(([, value, limit]) => limit === undefined || value <= limit);
}
