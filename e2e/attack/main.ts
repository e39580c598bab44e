// `npm run attack -- --minutes N [--only NAME,…]`: attacks a platform in all ways at once, next to a well-behaved
// tenant that sends and queries, and prints what that tenant noticed.
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { ATTACKS } from './attacks.ts';
import { type AttackOptions, type AttackReport, LATENESS_MS, percentile, runAttack } from './run-attack.ts';

const MAX_MINUTES = 1000;
const P99_LIMIT_MS = 500;
const LAG_LIMIT_MS = LATENESS_MS + 2000;
const STALL_LIMIT_MS = 250;
const HELP = `Usage: npm run attack -- [--minutes N] [--only NAME,…]

Attacks a platform next to a well-behaved tenant, and fails when that tenant is slowed or refused.

  --minutes N    above 0, up to ${MAX_MINUTES}; default 1
  --only NAME,…  attacks of ${Object.keys(ATTACKS).join(', ')}; default: all
  --help         show this`;

const report = await runAttack(optionsOf());
for (const problem of report.problems) console.error(problem);
process.exit(show(report) && report.problems.length === 0 ? 0 : 1);

function optionsOf(): AttackOptions {
  const { values } = programOptions(
    { help: HELP },
    { options: { minutes: { type: 'string', default: '1' }, only: { type: 'string' } } },
  );
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= MAX_MINUTES)) {
    refuseOptions(`--minutes: ${values.minutes} (limit: above 0, up to ${MAX_MINUTES})`, HELP);
  }
  const names = values.only?.split(',') ?? Object.keys(ATTACKS);
  const unknown = names.find((name) => !Object.hasOwn(ATTACKS, name));
  if (unknown !== undefined) refuseOptions(`--only: ${unknown} (one of: ${Object.keys(ATTACKS).join(', ')})`, HELP);
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
