import { printable } from '@tidemark/model/safe-text';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { parseRange } from '../parse-time.ts';
import { duration, gapText, print, printColored, printError, time } from '../printable.ts';
import { formatReply, type QueryFormat } from '../query-output.ts';
import { withPlatform, withRemote } from '../remote.ts';

interface QueryOptions extends RemoteOptions {
  readonly from: string;
  readonly to: string;
  readonly format: QueryFormat;
  readonly variable: Readonly<Record<string, readonly string[]>>;
}

const HELP = `
Examples:
  tidemark query 'avg:system.cpu.user{*} by {host}'
  tidemark query 'sum:web.requests{env:prod,!role:db}.as_rate()' --from -1h --format chart
  tidemark query 'avg:system.load.1{$env} by {host}' --variable env=prod
  tidemark query 'p99:web.latency{*}' --from 2026-01-31T12:00:00Z --to now --format csv
docs/query-language.md describes the language. Completeness, notes and errors go to stderr.
The exit status is 1 when no series matched, or when a part of the answer is missing.`;

export function queryCommand(): Command {
  return withRemote(new Command('query'))
    .description('run a query, and print through which time its answer is complete')
    .argument('<query>', 'query, such as avg:system.cpu.user{*} by {host}')
    .option('--from <time>', 'start of the range: -15m, seconds since 1970, or ISO 8601', '-15m')
    .option('--to <time>', 'end of the range', 'now')
    .addOption(
      new Option(
        '--variable <name=value>',
        'value of a template variable of the query, such as $env; may be repeated, also for one of several values',
      )
        .argParser(parseVariable)
        .default({}, 'none'),
    )
    .addOption(
      new Option('--format <format>', 'output format').choices(['table', 'json', 'csv', 'chart']).default('table'),
    )
    .addHelpText('after', HELP)
    .action((query: string, options: QueryOptions) => run(query, options));
}

async function run(query: string, options: QueryOptions): Promise<void> {
  const nowMs = Date.now();
  const range = parseRange(options.from, options.to, nowMs);
  const lists = Object.fromEntries(Object.entries(options.variable).map(([name, of]) => [name, { values: [...of] }]));
  const request = { query, ...range, variables: {}, variableLists: { lists } };
  await withPlatform(options, async (remote) => {
    const reply = await remote.run(request);
    const isColored = options.format === 'chart' && process.stdout.isTTY === true;
    (isColored ? printColored : print)(formatReply(reply, options.format, isColored));
    const { completeThroughMs, notes, errors, gaps } = reply;
    printError(
      completeThroughMs === undefined
        ? 'nothing is known to be complete'
        : `complete through ${time(completeThroughMs)} (${distance(completeThroughMs - nowMs)})`,
    );
    for (const note of notes) printError(`note: ${printable(note)}`);
    for (const gap of gaps) printError(gapText(gap));
    for (const { part, code, message } of errors) printError(`missing: ${part}: ${code}: ${printable(message)}`);
    if (errors.length > 0 || reply.series.length === 0) process.exitCode = 1;
  });
}

/** Adds one `name=value` to those before it. */
function parseVariable(
  text: string,
  known: Readonly<Record<string, readonly string[]>>,
): Record<string, readonly string[]> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError(`${text} has no name and value: write --variable env=prod`);
  const name = text.slice(0, equals).replace(/^\$/, '');
  const before = Object.hasOwn(known, name) ? known[name] : [];
  return { ...known, [name]: [...before, text.slice(equals + 1)] };
}

/** A shifted query is complete beyond now: it shows earlier times. */
function distance(aheadMs: number): string {
  return aheadMs > 0 ? `${duration(aheadMs)} ahead, by a time shift` : `${duration(-aheadMs)} ago`;
}
