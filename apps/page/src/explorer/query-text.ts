import {
  AGGREGATOR_NAMES,
  CALENDAR_UNITS,
  ROLLUP_METHODS,
  writeMetric,
  writePattern,
  writeWord,
} from '@tidemark/query-language/completion';

export const AGGREGATORS = AGGREGATOR_NAMES.filter((name) => !name.startsWith('p'));
export const PERCENTILES = AGGREGATOR_NAMES.filter((name) => name.startsWith('p'));

/** `key:value`, selected or excluded. The value may have `*` wildcards. */
export interface TagChoice {
  readonly key: string;
  readonly value: string;
  readonly negated: boolean;
}

/** What amounts are shown as: as they are per step, a rate per second, or explicitly amounts. */
export type ShownAs = '' | 'rate' | 'count';

/** The content of the fields of one row: one query without functions. */
export interface QueryFields {
  readonly aggregator: string;
  readonly metric: string;
  readonly filters: readonly TagChoice[];
  readonly groupBy: readonly string[];
  readonly as: ShownAs;
  readonly rollupMethod: string;
  /** Seconds, or a calendar: `daily`, `weekly, 'Europe/Paris'`. Empty lets the server choose a step. */
  readonly rollupStep: string;
}

export const EMPTY_FIELDS: QueryFields = {
  aggregator: 'avg',
  metric: '',
  filters: [],
  groupBy: [],
  as: '',
  rollupMethod: '',
  rollupStep: '',
};

/** Returns how a metric of a kind is usually read: rates add up, readings and distributions don't. */
export function usualFields(kinds: readonly string[]): Pick<QueryFields, 'aggregator' | 'as' | 'rollupMethod'> {
  const kind = kinds.length === 1 ? kinds[0] : '';
  if (kind === 'count' || kind === 'counter') return { aggregator: 'sum', as: 'rate', rollupMethod: '' };
  return { aggregator: kind === 'distribution' ? 'p95' : 'avg', as: '', rollupMethod: '' };
}

const KEYWORD = /^(?:and|or|not|in)$/i;

/** Prints the fields as a query (docs/query-language.md); empty without a metric. */
export function printFields(fields: QueryFields): string {
  if (fields.metric === '') return '';
  const metric = writeMetric(fields.metric);
  const filter = fields.filters.map(({ key, value, negated }) => (negated ? '!' : '') + printTag(key, value)).join(',');
  const by = fields.groupBy.length === 0 ? '' : ` by {${fields.groupBy.map(writeWord).join(',')}}`;
  return `${fields.aggregator}:${metric}{${filter === '' ? '*' : filter}}${by}${fields.as === '' ? '' : `.as_${fields.as}()`}${printRollup(fields)}`;
}

function printRollup({ rollupMethod, rollupStep }: QueryFields): string {
  const parts = [rollupMethod, rollupStep].filter((part) => part !== '');
  return parts.length === 0 ? '' : `.rollup(${parts.join(', ')})`;
}

function printTag(key: string, value: string): string {
  return key === '' ? writeWord(value) : writePattern(key, value);
}

const WORD = String.raw`(?:[^\s{}(),!"'\\]|"(?:[^"\\]|\\.)*")+`;
const AGGREGATOR = String.raw`${AGGREGATORS.join('|')}|p\d{1,2}(?:\.\d{1,3})?`;
const METHOD = ROLLUP_METHODS.join('|');
const STEP = String.raw`\d{1,9}|(?:${CALENDAR_UNITS.join('|')})(?:\s*,\s*'[A-Za-z0-9_+\-/]{1,64}')?`;
const QUERY =
  String.raw`(${AGGREGATOR})\s*:\s*([A-Za-z][A-Za-z0-9_.]*|"(?:[^"\\]|\\.)+")\s*` +
  String.raw`\{\s*(\*|!?\s*${WORD}(?:\s*,\s*!?\s*${WORD})*)\s*\}` +
  String.raw`(?:\s*by\s*\{\s*(${WORD}(?:\s*,\s*${WORD})*)\s*\})?` +
  String.raw`(?:\s*\.\s*as_(rate|count)\(\s*\))?` +
  String.raw`(?:\s*\.\s*rollup\(\s*(?:(${METHOD})\s*(?:,\s*(${STEP})\s*)?|(${STEP})\s*)\))?`;
const SIMPLE = new RegExp(String.raw`^\s*${QUERY}\s*$`, 'u');
/** A query that the fields can show, within a longer text. */
export const SIMPLE_QUERY = new RegExp(`(?<![A-Za-z0-9_.])${QUERY}`, 'gu');

/** Parses a query into fields; undefined for a query with functions, arithmetic or boolean words. */
export function parseFields(text: string): QueryFields | undefined {
  const found = SIMPLE.exec(text);
  if (found === null) return undefined;
  const [, aggregator, metric, filter, by, as = '', method = '', step, onlyStep = ''] = found;
  const filters = filter === '*' ? [] : wordsOf(filter).map(parseTag);
  if (filters.some((tag) => tag === undefined)) return undefined;
  const name = unquote(metric);
  // The server judges a name in two parts (`system."cpu"`).
  return {
    aggregator,
    metric: name,
    filters: filters.filter((tag) => tag !== undefined),
    groupBy: by === undefined ? [] : wordsOf(by).map(unquote),
    as: as === 'rate' || as === 'count' ? as : '',
    rollupMethod: method,
    rollupStep: step ?? onlyStep,
  };
}

function wordsOf(list: string): string[] {
  return list.match(new RegExp(String.raw`!?\s*${WORD}`, 'gu')) ?? [];
}

function parseTag(word: string): TagChoice | undefined {
  const negated = word.startsWith('!');
  const bare = negated ? word.slice(1).trim() : word;
  if (KEYWORD.test(bare)) return undefined;
  const tag = unquote(bare);
  const colon = tag.indexOf(':');
  return colon < 0
    ? { key: '', value: tag, negated }
    : { key: tag.slice(0, colon), value: tag.slice(colon + 1), negated };
}

function unquote(word: string): string {
  return word.replace(/"((?:[^"\\]|\\.)*)"/gu, (_, inner: string) => inner.replace(/\\(.)/gu, '$1'));
}
