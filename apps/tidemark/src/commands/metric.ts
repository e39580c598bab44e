import type { DescribedMetric } from '@tidemark/contract';
import {
  classOfKind,
  isSeriesClass,
  KIND,
  kindName,
  type MetricChange,
  type MetricMeaning,
  meaningOf,
  type SeriesClass,
  type Sourced,
  seriesClassName,
  shownKind,
  shownMeaning,
} from '@tidemark/model';
import { printable } from '@tidemark/model/safe-text';
import { isTidemarkError, limitError, TidemarkError } from '@tidemark/ports';
import { changeMessage, metadataOfMessage } from '@tidemark/store-rpc';
import Table from 'cli-table3';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { type FormatOptions, tableOrJson } from '../format-option.ts';
import { parseDuration } from '../parse-time.ts';
import { duration, gapText, print, printError } from '../printable.ts';
import { type Remote, withPlatform, withRemote } from '../remote.ts';
import { requireMetric } from './require-metric.ts';

interface SetOptions extends RemoteOptions {
  readonly kind?: 'gauge' | 'counter' | 'count' | 'rate';
  readonly unit?: string;
  readonly description?: string;
  /** ms. */
  readonly interval?: number;
  readonly new?: boolean;
}

type UnsetOptions = RemoteOptions & { readonly [Field in 'kind' | 'unit' | 'description' | 'interval']?: boolean };

const CHOICES = ['gauge', 'counter', 'count', 'rate'] as const;
const STYLE = { head: [], border: [], compact: true };
/** Who states a field, in words. */
const SOURCES = {
  user: 'a user',
  protocol: 'its senders',
  implied: 'implied by its senders',
  name: 'guessed from the name',
} as const;
const SET_HELP = `
What is stated holds for all of the metric's history, and stands above what its senders say. Examples:
  tidemark metric set web.requests --kind counter --unit requests
  tidemark metric set disk.used --unit byte --interval 15`;

export function metricCommand(): Command {
  const metric = new Command('metric').description('show and correct what is known of a metric');
  withRemote(metric.command('show'))
    .description('show kind, unit, description and reporting interval of a metric, and who states them')
    .argument('<metric>', 'name of the metric')
    .addOption(tableOrJson())
    .action((name: string, options: FormatOptions) => withPlatform(options, (remote) => show(remote, name, options)));
  withRemote(metric.command('set'))
    .description('state kind, unit, description or reporting interval of a metric')
    .argument('<metric>', 'name of the metric')
    .addOption(new Option('--kind <kind>', 'gauge or counter of readings; count or rate of counts').choices(CHOICES))
    .option('--unit <unit>', 'unit of the values, such as byte', notEmpty)
    .option('--description <text>', 'what the metric means', notEmpty)
    .option('--interval <time>', 'how far apart the points of a series are: seconds, or 500ms, 15s, 5m', interval)
    .option('--new', 'the metric need not exist: what is stated holds from its first point on')
    .addHelpText('after', SET_HELP)
    .action((name: string, options: SetOptions) => withPlatform(options, (remote) => set(remote, name, options)));
  withRemote(metric.command('unset'))
    .description('take back what was stated with set or over HTTP; without options all of it')
    .argument('<metric>', 'name of the metric')
    .option('--kind', 'take back the kind')
    .option('--unit', 'take back the unit')
    .option('--description', 'take back the description')
    .option('--interval', 'take back the reporting interval')
    .action((name: string, options: UnsetOptions) => withPlatform(options, (remote) => unset(remote, name, options)));
  return metric;
}

async function show(remote: Remote, name: string, { format }: FormatOptions): Promise<void> {
  const { description, gaps } = await remote.call(remote.query, remote.query.metric, { metric: name });
  if (description === undefined) throw new TidemarkError('internal', `nothing was answered about ${name}`);
  const classes = description.classes.filter(isSeriesClass);
  const meaning = shownMeaning(name, classes, metadataOfMessage(description.metadata));
  print(format === 'json' ? jsonOf(description, classes, meaning) : tableOf(description, classes, meaning));
  for (const gap of gaps) printError(gapText(gap));
}

async function set(remote: Remote, name: string, options: SetOptions): Promise<void> {
  const { kind, unit, description, interval: intervalMs } = options;
  const change = { kind: kind === undefined ? undefined : KIND[kind], unit, description, intervalMs };
  if (Object.values(change).every((value) => value === undefined)) {
    const limit = '--kind, --unit, --description or --interval';
    throw new TidemarkError('invalid_argument', `nothing to state: give at least one of ${limit}`);
  }
  const asked = requireMetric(remote, name, '\nAdd --new to state it before its first point.');
  const known = await (options.new === true ? asked.catch(ofNewMetric) : asked);
  if (kind !== undefined) checkKind(name, kind, known?.classes.filter(isSeriesClass) ?? []);
  await state(remote, name, change);
  print(`stated of ${printable(name)}: ${fieldsOf(change).join(', ')}`);
}

async function unset(remote: Remote, name: string, options: UnsetOptions): Promise<void> {
  const { kind, unit, description, interval: intervalMs } = options;
  const named = { kind, unit, description, intervalMs };
  const isAll = Object.values(named).every((one) => one !== true);
  const change = Object.fromEntries(
    Object.entries(named).map(([field, one]) => [field, isAll || one ? null : undefined]),
  );
  const user = metadataOfMessage((await requireMetric(remote, name))?.metadata).user;
  await state(remote, name, change);
  const stated = fieldsOf(user ?? {});
  const taken = fieldsOf(change).filter((field) => stated.includes(field));
  if (taken.length > 0) print(`taken back of ${printable(name)}: ${taken.join(', ')}`);
  else
    print(`nothing of ${fieldsOf(change).join(', ')} was stated of ${printable(name)} by a user: nothing to take back`);
}

function state(remote: Remote, metric: string, change: MetricChange): Promise<void> {
  return remote.stateMetric({ metric, change: changeMessage(change) });
}

/** With --new nothing need be known of the metric. */
function ofNewMetric(error: unknown): undefined {
  if (!isTidemarkError(error)) throw error;
}

/** Refuses a kind that no series of the metric can have: it would only hide what its senders say. */
function checkKind(metric: string, kind: NonNullable<SetOptions['kind']>, classes: readonly SeriesClass[]): void {
  if (classes.length === 0 || classes.includes(classOfKind(KIND[kind]))) return;
  const has = classes.map(seriesClassName).join(' and ');
  const fits = CHOICES.filter((one) => classes.includes(classOfKind(KIND[one])));
  const limit = fits.length === 0 ? 'nothing: a distribution has no other kind' : fits.join(' or ');
  throw limitError('--kind', `${kind} of ${printable(metric)}, whose series are of class ${has}`, limit);
}

/** The fields of a change by the names of their options. */
function fieldsOf({ kind, unit, description, intervalMs }: MetricChange): string[] {
  const fields = { kind, unit, description, interval: intervalMs };
  return Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field]));
}

function jsonOf(
  { metric, series }: DescribedMetric,
  classes: readonly SeriesClass[],
  { kind, unit, description, intervalMs }: MetricMeaning,
): string {
  const known = { unit, description, interval_ms: intervalMs };
  const values = Object.entries(known).map(([field, one]) => [field, one?.value ?? null]);
  const sources = Object.entries({ kind, ...known }).map(([field, one]) => [field, one?.source]);
  const shown = {
    metric,
    classes: classes.map(seriesClassName),
    series,
    kind: kind === undefined ? null : kindName(kind.value),
    ...Object.fromEntries(values),
    sources: Object.fromEntries(sources),
  };
  return JSON.stringify(shown, undefined, 2);
}

function tableOf(
  { metric, series, metadata }: DescribedMetric,
  classes: readonly SeriesClass[],
  { kind, unit, description, intervalMs }: MetricMeaning,
): string {
  const table = new Table({ head: [printable(metric), '', 'stated by'], style: STYLE });
  const add = <T>(field: string, one: Sourced<T> | undefined, text: (value: T) => string): void => {
    if (one === undefined) table.push([field, '–', '']);
    else table.push([field, printable(text(one.value)), SOURCES[one.source]]);
  };
  table.push(['class', classes.length === 0 ? '–' : classes.map(seriesClassName).join(', '), '']);
  table.push(['series', series, '']);
  const meaning = meaningOf(metric, metadataOfMessage(metadata));
  if (classes.length < 2) add('kind', kind, kindName);
  else for (const one of classes) add(`kind of ${seriesClassName(one)}`, shownKind(metric, one, meaning), kindName);
  add('unit', unit, String);
  add('description', description, String);
  add('interval', intervalMs, duration);
  return table.toString();
}

function notEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty: take a field back with tidemark metric unset.');
}

function interval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs !== undefined && intervalMs > 0) return intervalMs;
  throw new InvalidArgumentError('Give seconds, or a number with a unit: 500ms, 15s, 5m, 1h, 1d.');
}
