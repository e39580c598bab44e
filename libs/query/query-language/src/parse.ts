import type { FunctionArgument, Regrouping } from '@tidemark/fold';
import { DEFAULT_FILL_LIMIT_SECONDS, FILL_MODES, REGROUP_METHODS } from '@tidemark/fold/words';
import {
  type Aggregator,
  type Expression,
  type Fill,
  type Query,
  type QueryLeaf,
  type Rollup,
  type RollupAgain,
  SPACE_AGGREGATORS,
  type TagFilter,
} from './ast.ts';
import { isMissingFunction } from './datadog-functions.ts';
import {
  FUNCTION_NAMES,
  FUNCTIONS,
  isFunctionName,
  type Parameter,
  SUFFIX_NAMES,
  type SuffixName,
} from './functions.ts';
import { leavesOf } from './leaves.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from './limits.ts';
import { parseGroupBy, parseScope } from './parse-filter.ts';
import { parseRollup, parseRollupAgain } from './parse-rollup.ts';
import { RANK_SHORTHANDS, rankShorthand } from './rank-shorthands.ts';
import type { Token } from './scanner.ts';
import { inField } from './syntax-error.ts';
import { TokenReader } from './token-reader.ts';
import { checkVariables, NO_VARIABLES, type Variables } from './variables.ts';

const AN_EXPRESSION = 'a query, a function, a number or "("';
const PERCENTILE = /^p([0-9]{1,2}(?:\.[0-9]+)?)$/;
export const AGGREGATOR_NAMES: readonly string[] = [...SPACE_AGGREGATORS, 'p50', 'p75', 'p90', 'p95', 'p99', 'p99.9'];

/**
 * Parses a query (docs/query-language.md). Errors are `invalid_argument`, with the 1-based `column`, `found`,
 * `expected` and a `caret` in the detail; text beyond `limits.queryLength` names that limit. Template variables in
 * scopes and groupings are replaced by their values.
 *
 *     query      = expression { "," expression }
 *     expression = term { ( "+" | "-" ) term }
 *     term       = unary { ( "*" | "/" ) unary }
 *     unary      = "-" unary | primary
 *     primary    = number | "(" expression ")" | function "(" expression { "," argument } ")" | again | leaf
 *     again      = aggregator "(" expression ")" [ "by" "{" key { "," key } "}" ]
 *     leaf       = [ aggregator ":" ] metric "{" scope "}" [ "by" "{" key { "," key } "}" ] { "." suffix }
 */
export function parseQuery(
  text: string,
  limits: QueryLimits = DEFAULT_QUERY_LIMITS,
  variables: Variables = NO_VARIABLES,
): Query {
  checkVariables(variables);
  return parseTokens(new TokenReader(text, limits, variables));
}

/** Parses the whole query of a reader. */
export function parseTokens(reader: TokenReader): Query {
  const state: State = { reader, queries: 0 };
  const expressions = [parseWithQuery(state)];
  while (reader.takeSymbol('expression', ',')) expressions.push(parseWithQuery(state));
  const rest = reader.peek('expression');
  if (rest.type !== 'end') throw reader.unexpected(rest, 'an operator, "," or the end of the query');
  return { expressions };
}

/**
 * Parses a formula: an expression in which each metric is one of `queries`, by its name. The result has their
 * expressions in place of the names, so it is evaluated, joined and limited as a query is. Errors are those of
 * `parseQuery`, with the columns of `text` and the field `formula`.
 */
export function parseFormula(
  text: string,
  queries: ReadonlyMap<string, Expression>,
  limits: QueryLimits = DEFAULT_QUERY_LIMITS,
): Expression {
  return inField('formula', () => {
    const reader = new TokenReader(text, limits);
    const expression = parseWithQuery({ reader, queries: 0, bound: queries });
    const rest = reader.peek('expression');
    if (rest.type !== 'end') throw reader.unexpected(rest, 'an operator or the end of the formula');
    return expression;
  });
}

/**
 * Parses a filter alone, as it stands between the braces of a query; without text it selects all series. Errors are
 * those of `parseQuery`, with columns of `text`.
 */
export function parseFilter(text: string, limits: QueryLimits = DEFAULT_QUERY_LIMITS): TagFilter {
  if (text.trim() === '') return { type: 'all' };
  const reader = new TokenReader(`${text}}`, limits);
  const filter = parseScope(reader);
  const rest = reader.peek('scope');
  if (rest.type !== 'end') throw reader.unexpected(rest, 'the end of the filter');
  return filter;
}

interface State {
  readonly reader: TokenReader;
  /** Leaves so far that are not constants. */
  queries: number;
  /** Expressions by the names that a formula has for them; undefined in a query. */
  readonly bound?: ReadonlyMap<string, Expression>;
}

/** Parses an expression that contains a query: numbers alone have no series, no steps and no tags. */
function parseWithQuery(state: State): Expression {
  const first = state.reader.peek('expression');
  const before = state.queries;
  const expression = parseSum(state);
  if (state.queries === before) {
    const example = state.bound === undefined ? 'at least one query, such as avg:system.load.1{*}' : aName(state.bound);
    throw state.reader.error(first, 'only constants', example);
  }
  return expression;
}

function parseSum(state: State): Expression {
  let left = parseProduct(state);
  for (;;) {
    const operator = takeOperator(state.reader, ADDITIVE);
    if (operator === undefined) return left;
    left = { type: 'binary', operator, left, right: parseProduct(state) };
  }
}

function parseProduct(state: State): Expression {
  let left = parseUnary(state);
  for (;;) {
    const operator = takeOperator(state.reader, MULTIPLICATIVE);
    if (operator === undefined) return left;
    left = { type: 'binary', operator, left, right: parseUnary(state) };
  }
}

const ADDITIVE = ['+', '-'] as const;
const MULTIPLICATIVE = ['*', '/'] as const;

function takeOperator<T extends string>(reader: TokenReader, operators: readonly T[]): T | undefined {
  return operators.find((operator) => reader.takeSymbol('expression', operator));
}

function parseUnary(state: State): Expression {
  const token = state.reader.peek('expression');
  if (!state.reader.takeSymbol('expression', '-')) return parsePrimary(state, token);
  return { type: 'negate', operand: state.reader.nested(token, () => parseUnary(state)) };
}

function parsePrimary(state: State, token: Token): Expression {
  const { reader } = state;
  reader.at(token, { type: 'operand' });
  if (token.type === 'number') return parseConstant(reader, token);
  if (reader.takeSymbol('expression', '(')) {
    const expression = reader.nested(token, () => parseSum(state));
    reader.expectSymbol('expression', ')', 'an operator or ")"');
    return expression;
  }
  if (token.type === 'string' && state.bound === undefined) return parseLeaf(state, token, DEFAULT_AGGREGATOR);
  if (token.type !== 'name') {
    const expected = state.bound === undefined ? AN_EXPRESSION : `${aName(state.bound)}, a function, a number or "("`;
    throw reader.unexpected(token, expected);
  }
  reader.take(token);
  const next = reader.peek('expression');
  if (next.type === 'symbol' && next.text === '(') return parseCall(state, token);
  if (state.bound !== undefined) return boundQuery(state, state.bound, token);
  if (reader.takeSymbol('expression', ':')) {
    const metric = reader.peek('expression');
    return parseLeaf(state, metric, aggregatorOf(reader, token));
  }
  return parseLeaf(state, token, DEFAULT_AGGREGATOR);
}

const MAX_LISTED_NAMES = 10;

function aName(bound: ReadonlyMap<string, Expression>): string {
  const names = [...bound.keys()];
  const more = names.length > MAX_LISTED_NAMES ? ', …' : '';
  return `the name of a query (${names.slice(0, MAX_LISTED_NAMES).join(', ')}${more})`;
}

/** The expression that a name in a formula stands for; its leaves count as often as the name is used. */
function boundQuery(state: State, bound: ReadonlyMap<string, Expression>, token: Token): Expression {
  const expression = bound.get(token.text);
  if (expression === undefined) throw state.reader.unknownName(token, aName(bound), [...bound.keys()]);
  for (const _ of leavesOf({ expressions: [expression] })) state.reader.countLeaf(token);
  state.queries++;
  return expression;
}

const DEFAULT_AGGREGATOR: Aggregator = { type: 'space', name: 'avg' };

function parseConstant(reader: TokenReader, token: Token): Expression {
  const value = Number(token.text);
  if (!Number.isFinite(value)) throw reader.unexpected(token, 'a number that fits into 64 bits');
  reader.countLeaf(token);
  reader.take(token);
  return { type: 'constant', value };
}

const A_PERCENTILE = 'a percentile above 0 and below 100; write min: or max: for the lowest and the highest value';

function aggregatorOf(reader: TokenReader, token: Token): Aggregator {
  const name = SPACE_AGGREGATORS.find((one) => one === token.text);
  if (name !== undefined) return { type: 'space', name };
  const percentile = Number(PERCENTILE.exec(token.text)?.[1]);
  if (percentile > 0) return { type: 'percentile', percentile };
  if (/^p\d+(?:\.\d+)?$/.test(token.text)) throw reader.unexpected(token, A_PERCENTILE);
  const expected = `an aggregator (${SPACE_AGGREGATORS.join(', ')}, or a percentile such as p50 or p99.9)`;
  throw reader.unknownName(token, expected, AGGREGATOR_NAMES);
}

function parseCall(state: State, token: Token): Expression {
  const { reader } = state;
  const how = regroupingOf(token.text);
  if (how !== undefined) return parseRegroup(state, token, how);
  const shorthand = rankShorthand(token.text);
  if (shorthand !== undefined) return { type: 'call', operand: parseOperand(state, token), ...shorthand };
  const name = token.text;
  if (PROMQL_RATES.has(name)) throw reader.unexpected(token, NO_PROMQL);
  if (isMissingFunction(name)) throw reader.missingFunction(token);
  if (!isFunctionName(name)) throw reader.unknownName(token, A_FUNCTION, SUGGESTED_NAMES);
  reader.expectSymbol('expression', '(');
  const operand = reader.nested(token, () => parseWithQuery(state));
  const args = FUNCTIONS[name].map((parameter) => parseArgument(reader, name, parameter));
  reader.expectSymbol('expression', ')', args.length === 0 ? 'an operator or ")"' : '")"');
  return { type: 'call', name, operand, args };
}

const A_FUNCTION = 'a function of docs/query-language.md, or a metric with {…}';
/** Functions of PromQL that take a range: a query with one was written for Prometheus. */
const PROMQL_RATES: ReadonlySet<string> = new Set(['rate', 'irate', 'increase', 'histogram_quantile']);
const NO_PROMQL =
  'the query language of Datadog: PromQL is not supported; write sum:METRIC{*}.as_rate() for a rate, .as_count() for an increase';
const SUGGESTED_NAMES: readonly string[] = [...FUNCTION_NAMES, ...RANK_SHORTHANDS, ...REGROUP_METHODS];

/** What stands between the parentheses of a function without arguments. */
function parseOperand(state: State, token: Token): Expression {
  state.reader.expectSymbol('expression', '(');
  const operand = state.reader.nested(token, () => parseWithQuery(state));
  state.reader.expectSymbol('expression', ')', 'an operator or ")"');
  return operand;
}

function regroupingOf(name: string): Regrouping | undefined {
  const method = REGROUP_METHODS.find((one) => one === name);
  if (method !== undefined) return { type: 'method', name: method };
  const percentile = Number(PERCENTILE.exec(name)?.[1]);
  return percentile > 0 ? { type: 'percentile', percentile } : undefined;
}

function parseRegroup(state: State, token: Token, how: Regrouping): Expression {
  const operand = parseOperand(state, token);
  return { type: 'regroup', how, operand, groupBy: parseBy(state.reader) };
}

/** `by {key, …}`; no keys where it is left out. */
function parseBy(reader: TokenReader): string[] {
  const by = reader.peek('expression');
  reader.at(by, { type: 'by' });
  if (by.type !== 'name' || by.text.toLowerCase() !== 'by') return [];
  reader.take(by);
  reader.expectSymbol('expression', '{', '"{" and tag keys');
  return parseGroupBy(reader);
}

function parseArgument(reader: TokenReader, name: string, parameter: Parameter): FunctionArgument {
  const token = reader.peek('expression');
  const what = `${parameter.name} of ${name}()`;
  if (!reader.takeSymbol('expression', ',')) {
    if (parameter.default === undefined) throw reader.unexpected(token, `"," and ${what}`);
    return parameter.default;
  }
  switch (parameter.type) {
    case 'number':
      return reader.expectNumber(`${what} (a number)`);
    case 'integer':
      return reader.expectInteger(what, parameter.min, parameter.max);
    case 'text':
      return reader.expectText(`${what}: ${parameter.expected}`, parameter.isValid);
    default:
      return reader.expectChoice(what, parameter.choices);
  }
}

function parseLeaf(state: State, metric: Token, aggregator: Aggregator): QueryLeaf {
  const { reader } = state;
  reader.at(metric, { type: 'metric' });
  if ((metric.type !== 'name' && metric.type !== 'string') || metric.text === '') {
    throw reader.unexpected(metric, "a metric's name");
  }
  reader.countLeaf(metric);
  state.queries++;
  reader.take(metric);
  reader.expectSymbol('expression', '{', '"{" and a scope, such as {*}');
  const filter = parseScope(reader);
  const groupBy = parseBy(reader);
  const leaf: QueryLeaf = { type: 'query', aggregator, metric: metric.text, filter, groupBy };
  return { ...leaf, ...parseSuffixes(reader) };
}

interface Suffixes {
  rollup?: Rollup;
  rollupAgain?: RollupAgain;
  as?: 'rate' | 'count';
  fill?: Fill;
  weighted?: number;
}

/** Parses `.rollup(…)`, `.as_rate()`, `.as_count()`, `.fill(…)`, `.weighted(…)`, in any order, each once; `rollup` twice. */
function parseSuffixes(reader: TokenReader): Suffixes {
  const suffixes: Suffixes = {};
  while (reader.takeSymbol('expression', '.')) {
    const token = reader.peek('expression');
    const name = reader.expectChoice<SuffixName>('a function after the dot', SUFFIX_NAMES, 'suffix');
    reader.expectSymbol('expression', '(');
    const isSecond = name === 'rollup' && suffixes.rollup !== undefined;
    const field = name === 'as_rate' || name === 'as_count' ? 'as' : isSecond ? 'rollupAgain' : name;
    if (suffixes[field] !== undefined) {
      throw reader.error(
        token,
        isSecond ? 'a third rollup' : `a second ${field === 'as' ? 'as_rate or as_count' : name}`,
        'each function at most once, rollup twice',
      );
    }
    if (isSecond) suffixes.rollupAgain = parseRollupAgain(reader, token, suffixes.rollup);
    else if (name === 'rollup') suffixes.rollup = parseRollup(reader);
    else if (name === 'fill') suffixes.fill = parseFill(reader);
    else if (name === 'weighted') suffixes.weighted = parseWeighted(reader);
    else suffixes.as = name === 'as_rate' ? 'rate' : 'count';
    reader.expectSymbol('expression', ')');
  }
  return suffixes;
}

/** Seconds between two values when a query says nothing: the flush interval of Datadog's DogStatsD. */
const DEFAULT_INTERVAL_SECONDS = 10;
const MAX_INTERVAL_SECONDS = 86_400;

function parseWeighted(reader: TokenReader): number {
  if (reader.peek('expression').type !== 'number') return DEFAULT_INTERVAL_SECONDS;
  return reader.expectInteger('seconds between two values of a series', 1, MAX_INTERVAL_SECONDS);
}

function parseFill(reader: TokenReader): Fill {
  const mode = reader.expectChoice('a fill mode', FILL_MODES);
  if (!reader.takeSymbol('expression', ',')) return { mode, limitSeconds: DEFAULT_FILL_LIMIT_SECONDS };
  return { mode, limitSeconds: reader.expectInteger('the maximum seconds of the fill', 1, reader.limits.fillSeconds) };
}
