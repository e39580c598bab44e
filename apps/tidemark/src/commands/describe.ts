import type { Gap, PartError } from '@tidemark/contract';
import { isSeriesClass, seriesClassName } from '@tidemark/model';
import { printable } from '@tidemark/model/safe-text';
import Table from 'cli-table3';
import { Command } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { gapText, print, printError } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';
import { wholeNumber } from '../whole-number.ts';

interface DescribeOptions extends RemoteOptions {
  readonly limit: number;
}

const STYLE = { head: [], border: [], compact: true };

export function metricsCommand(): Command {
  return withRemote(new Command('metrics'))
    .description('list metrics with their classes and numbers of series')
    .argument('[text]', 'list only metrics whose name contains this text', '')
    .option('--limit <n>', 'max number of metrics', wholeNumber, 1000)
    .action((contains: string, options: DescribeOptions) =>
      withPlatform(options, async (remote) => {
        const request = { contains, fromMs: 0, limit: options.limit };
        const { metrics, errors, gaps } = await remote.call(remote.query, remote.query.metrics, request);
        const table = new Table({ head: ['metric', 'class', 'series'], style: STYLE });
        for (const { metric, classes, series } of metrics) {
          const names = classes.map((one) => (isSeriesClass(one) ? seriesClassName(one) : String(one)));
          table.push([printable(metric), names.join(', '), series]);
        }
        print(metrics.length === 0 ? 'no matching metrics' : table.toString());
        report(errors, gaps);
      }),
    );
}

export function tagsCommand(): Command {
  return withRemote(new Command('tags'))
    .description('list the tag keys of a metric and their most frequent values')
    .argument('<metric>', 'name of the metric')
    .option('--limit <n>', 'max number of values per key', wholeNumber, 10)
    .action((metric: string, options: DescribeOptions) =>
      withPlatform(options, async (remote) => {
        const request = { metric, fromMs: 0, toMs: 0, limit: options.limit };
        const { keys, errors, gaps } = await remote.call(remote.query, remote.query.tags, request);
        // Of an unknown name this throws, with a similar one; and so the command fails as `query` does.
        if (keys.length === 0 && errors.length === 0) await remote.call(remote.query, remote.query.metric, { metric });
        const table = new Table({ head: ['key', 'values', 'series', 'most frequent'], style: STYLE });
        for (const { key, values, series, top } of keys) {
          const shown = top.map((one) => `${printable(one.value)} (${one.series})`);
          table.push([printable(key), values, series, shown.join(', ')]);
        }
        print(
          keys.length === 0
            ? `${printable(metric)} has no tags in the last day; run tidemark metrics to list metrics`
            : table.toString(),
        );
        report(errors, gaps);
      }),
    );
}

function report(errors: readonly PartError[], gaps: readonly Gap[]): void {
  for (const gap of gaps) printError(gapText(gap));
  for (const { part, code, message } of errors) printError(`missing: ${part}: ${code}: ${printable(message)}`);
  if (errors.length > 0) process.exitCode = 1;
}
