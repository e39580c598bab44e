import type { DescribedMetric, Gap, PartError, TagKeyDescription } from '@tidemark/contract';
import { isSeriesClass, seriesClassName } from '@tidemark/model';
import { printable } from '@tidemark/model/safe-text';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { Argument, Command } from 'commander';
import { type ListFormatOptions, tableJsonOrCsv } from '../format-option.ts';
import { csvOf, tableOf } from '../list-output.ts';
import { gapText, print, printError } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';
import { wholeNumber } from '../whole-number.ts';

interface DescribeOptions extends ListFormatOptions {
  readonly limit: number;
}

export function metricsCommand(): Command {
  return withRemote(new Command('metrics'))
    .description('list metrics with their classes and numbers of series')
    .addArgument(new Argument('[text]', 'list only metrics whose name contains this text').default('', 'all'))
    .option('--limit <n>', 'max number of metrics', wholeNumber, 1000)
    .addOption(tableJsonOrCsv())
    .action((contains: string, options: DescribeOptions) =>
      withPlatform(options, async (remote) => {
        const request = { contains, fromMs: 0, limit: options.limit };
        const { metrics, errors, gaps } = await remote.call(remote.query, remote.query.metrics, request);
        print(metricsText(metrics, options.format));
        report(errors, gaps);
      }),
    );
}

function metricsText(metrics: readonly DescribedMetric[], format: DescribeOptions['format']): string {
  const list = metrics.map(({ metric, classes, series }) => ({
    metric,
    classes: classes.map((one) => (isSeriesClass(one) ? seriesClassName(one) : String(one))),
    series,
  }));
  if (format === 'json') return JSON.stringify({ metrics: list }, undefined, 2);
  const rows = (between: string) =>
    list.map(({ metric, classes, series }) => [metric, classes.join(between), series] as const);
  if (format === 'csv') return csvOf(['metric', 'classes', 'series'], rows(' '));
  return list.length === 0 ? 'no matching metrics' : tableOf(['metric', 'class', 'series'], rows(', '));
}

export function tagsCommand(): Command {
  return withRemote(new Command('tags'))
    .description('list the tag keys of a metric and their most frequent values')
    .argument('<metric>', 'name of the metric')
    .option('--limit <n>', 'max number of values per key', wholeNumber, 10)
    .addOption(tableJsonOrCsv())
    .action((metric: string, options: DescribeOptions) =>
      withPlatform(options, async (remote) => {
        const request = { metric, fromMs: 0, toMs: 0, limit: options.limit };
        const { keys, errors, gaps } = await remote.call(remote.query, remote.query.tags, request);
        // Of an unknown name this throws, with a similar one; and so the command fails as `query` does.
        if (keys.length === 0 && errors.length === 0) await remote.call(remote.query, remote.query.metric, { metric });
        print(tagsText(metric, keys, options.format));
        report(errors, gaps);
      }),
    );
}

/** Of CSV each row is a value, with the number of values and series of its key. */
function tagsText(metric: string, keys: readonly TagKeyDescription[], format: DescribeOptions['format']): string {
  if (format === 'json') return JSON.stringify({ metric, keys }, undefined, 2);
  if (format === 'csv') {
    const rows = keys.flatMap(({ key, values, series, top }) =>
      top.map((one) => [key, values, series, one.value, one.series] as const),
    );
    return csvOf(['key', 'values', 'series', 'value', 'value_series'], rows);
  }
  if (keys.length === 0)
    return `${printable(metric)} has no tags in the last day; run ${TIDEMARK_COMMAND} metrics to list metrics`;
  const shown = (top: TagKeyDescription['top']) => top.map((one) => `${one.value} (${one.series})`).join(', ');
  const rows = keys.map(({ key, values, series, top }) => [key, values, series, shown(top)] as const);
  return tableOf(['key', 'values', 'series', 'most frequent'], rows);
}

function report(errors: readonly PartError[], gaps: readonly Gap[]): void {
  for (const gap of gaps) printError(gapText(gap));
  for (const { part, code, message } of errors) printError(`missing: ${part}: ${code}: ${printable(message)}`);
  if (errors.length > 0) process.exitCode = 1;
}
