import type { QueryReply, ResultSeries } from '@tidemark/contract';
import { isKind, kindName } from '@tidemark/model';
import { csvCell, printable } from '@tidemark/model/safe-text';
import Table from 'cli-table3';
import { shortNumber, time } from './printable.ts';
import { type ChartSeries, chartOf } from './query-chart.ts';

/** Limits of a table of all values. A larger answer is shown as one line per series. */
const TABLE_SERIES = 5;
const TABLE_STEPS = 60;

export type QueryFormat = 'table' | 'json' | 'csv' | 'chart';

/** Formats an answer as text. */
export function formatReply(reply: QueryReply, format: QueryFormat, isColored: boolean): string {
  if (format === 'json') return `${JSON.stringify(reply, undefined, 2)}\n`;
  if (format === 'csv') return csvOf(reply);
  if (reply.series.length === 0) return 'no points in this range\n';
  return format === 'chart' ? chartOf(chartSeries(reply.series), isColored) : tableOf(reply);
}

/** Returns the label of a series: its scope, or the expression when the query has no groups, and its unit. */
export function labelOf({ expression, scope, unit }: ResultSeries): string {
  const label = scope === '' || scope === '*' ? expression : scope;
  if (unit === undefined) return printable(label);
  return printable(`${label} [${unit.name}${unit.per === '' ? '' : `/${unit.per}`}]`);
}

/** The labels of series, with the kind where two would be the same: a metric may have series of several kinds. */
function labelsOf(series: readonly ResultSeries[]): string[] {
  const labels = series.map(labelOf);
  const isShared = (label: string) => labels.indexOf(label) !== labels.lastIndexOf(label);
  return labels.map((label, i) =>
    isShared(label) && isKind(series[i].kind) ? `${label} (${kindText(series[i])})` : label,
  );
}

function kindText({ kind }: ResultSeries): string {
  return isKind(kind) ? kindName(kind) : '';
}

function chartSeries(series: readonly ResultSeries[]): ChartSeries[] {
  const labels = labelsOf(series);
  return series.map((one, i) => ({ ...one, label: labels[i] }));
}

function tableOf({ series }: QueryReply): string {
  const times = timesOf(series);
  const isSmall = series.length <= TABLE_SERIES && times.length <= TABLE_STEPS;
  return isSmall ? valuesTable(series, times) : summaryTable(series);
}

/** Formats one row per step, and marks the steps that are not complete yet. */
function valuesTable(series: readonly ResultSeries[], times: readonly number[]): string {
  const table = new Table({ head: ['time', ...labelsOf(series)], style: { head: [], border: [], compact: true } });
  const stepsByTime = series.map(({ timesMs }) => new Map(timesMs.map((timeMs, i) => [timeMs, i])));
  let isMarked = false;
  for (const timeMs of times) {
    const steps = stepsByTime.map((byTime) => byTime.get(timeMs));
    const isComplete = series.every(({ completeSteps }, i) => (steps[i] ?? -1) < completeSteps);
    isMarked ||= !isComplete;
    const cells = series.map(({ values }, i) => (steps[i] === undefined ? '' : shortNumber(values[steps[i]])));
    table.push([`${time(timeMs)}${isComplete ? '' : ' ~'}`, ...cells]);
  }
  return `${table.toString()}\n${isMarked ? '~ not complete yet\n' : ''}`;
}

/** Formats one row per series, with the figures of its complete steps. */
function summaryTable(series: readonly ResultSeries[]): string {
  const head = ['series', 'last', 'min', 'avg', 'max', 'steps', 'incomplete'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  const labels = labelsOf(series);
  for (const [i, one] of series.entries()) {
    const values = one.values.slice(0, one.completeSteps);
    // Each value is divided first, so that the sum does not overflow.
    const avg = values.reduce((total, value) => total + value / values.length, 0);
    const min = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const figures = [values[values.length - 1], min, avg, max].map((v) => (values.length === 0 ? '' : shortNumber(v)));
    table.push([labels[i], ...figures, one.values.length, one.values.length - values.length]);
  }
  return `${table.toString()}\nThe figures are of complete steps. Use --format csv or json for all values.\n`;
}

function csvOf({ series }: QueryReply): string {
  const rows = series.flatMap((one) =>
    one.timesMs.map((timeMs, i) =>
      [time(timeMs), one.expression, one.scope, String(one.values[i]), String(i < one.completeSteps), kindText(one)]
        .map(csvCell)
        .join(','),
    ),
  );
  return `${['time,expression,scope,value,complete,kind', ...rows].join('\n')}\n`;
}

function timesOf(series: readonly ResultSeries[]): number[] {
  return [...new Set(series.flatMap(({ timesMs }) => timesMs))].sort((a, b) => a - b);
}
