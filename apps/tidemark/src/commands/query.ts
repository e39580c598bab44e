import { Command, Option } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { parseTime } from '../parse-time.ts';
import { duration, gapText, print, printable, printError, time } from '../printable.ts';
import { formatReply, type QueryFormat } from '../query-output.ts';
import { withPlatform, withRemote } from '../remote.ts';

interface QueryOptions extends RemoteOptions {
  readonly from: string;
  readonly to: string;
  readonly format: QueryFormat;
}

const HELP = `
Examples:
  tidemark query 'avg:system.cpu.user{*} by {host}'
  tidemark query 'sum:web.requests{env:prod,!role:db}.as_rate()' --from -1h --format chart
  tidemark query 'p99:web.latency{*}' --from 2026-01-31T12:00:00Z --to now --format csv
docs/query-language.md describes the language. Completeness, notes and errors go to stderr.`;

export function queryCommand(): Command {
  return withRemote(new Command('query'))
    .description('run a query, and print through which time its answer is complete')
    .argument('<query>', 'query, such as avg:system.cpu.user{*} by {host}')
    .option('--from <time>', 'start of the range: -15m, seconds since 1970, or ISO 8601', '-15m')
    .option('--to <time>', 'end of the range', 'now')
    .addOption(
      new Option('--format <format>', 'output format').choices(['table', 'json', 'csv', 'chart']).default('table'),
    )
    .addHelpText('after', HELP)
    .action((query: string, options: QueryOptions) => run(query, options));
}

async function run(query: string, options: QueryOptions): Promise<void> {
  const nowMs = Date.now();
  const request = { query, fromMs: parseTime(options.from, nowMs), toMs: parseTime(options.to, nowMs) };
  await withPlatform(options, async (remote) => {
    const reply = await remote.call(remote.query, remote.query.run, request);
    print(formatReply(reply, options.format, process.stdout.isTTY === true));
    const { completeThroughMs, notes, errors, gaps } = reply;
    printError(
      completeThroughMs === undefined
        ? 'nothing is known to be complete'
        : `complete through ${time(completeThroughMs)} (${duration(nowMs - completeThroughMs)} ago)`,
    );
    for (const note of notes) printError(`note: ${printable(note)}`);
    for (const gap of gaps) printError(gapText(gap));
    for (const { part, code, message } of errors) printError(`missing: ${part}: ${code}: ${printable(message)}`);
    if (errors.length > 0) process.exitCode = 1;
  });
}
