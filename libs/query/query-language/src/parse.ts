import { DEFAULT_FILL_LIMIT_SECONDS, FILL_MODES, type FunctionArgument } from '@tidemark/fold';
import {
  type Aggregator,
  type Expression,
  type Fill,
  type Query,
  type QueryLeaf,
  ROLLUP_METHODS,
  type Rollup,
  SPACE_AGGREGATORS,
} from './ast.ts';
import {
  FUNCTION_NAMES,
  FUNCTIONS,
  isFunctionName,
  type Parameter,
  SUFFIX_NAMES,
  type SuffixName,
} from './functions.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from './limits.ts';
import { parseGroupBy, parseScope } from './parse-filter.ts';
import type { Token } from './scanner.ts';
import { TokenReader } from './token-reader.ts';

const AN_EXPRESSION = 'a query, a function, a number or "("';
const PERCENTILE = /^p([0-9]{1,2}(?:\.[0-9]+)?)$/;
const AGGREGATOR_NAMES: readonly string[] = [...SPACE_AGGREGATORS, 'p50', 'p75', 'p90', 'p95', 'p99', 'p99.9'];

/**
 * Parses a query (docs/query-language.md). Errors are `invalid_argument`, with the 1-based `column`, `found`,
 * `expected` and a `caret` in the detail; text beyond `limits.queryLength` names that limit.
 *
 *     query      = expression { "," expression }
 *     expression = term { ( "+" | "-" ) term }
 *     term       = unary { ( "*" | "/" ) unary }
 *     unary      = "-" unary | primary
 *     primary    = number | "(" expression ")" | function "(" expression { "," argument } ")" | leaf
 *     leaf       = [ aggregator ":" ] metric "{" scope "}" [ "by" "{" key { "," key } "}" ] { "." suffix }
 */
export function parseQuery(text: string, limits: QueryLimits = DEFAULT_QUERY_LIMITS): Query {
  const reader = new TokenReader(text, limits);
  const state: State = { reader, queries: 0 };
  const expressions = [parseWithQuery(state)];
  while (reader.takeSymbol('expression', ',')) expressions.push(parseWithQuery(state));
  const rest = reader.peek('expression');
  if (rest.type !== 'end') throw reader.unexpected(rest, 'an operator, "," or the end of the query');
  return { expressions };
}

interface State {
  readonly reader: TokenReader;
  /** Leaves so far that are not constants. */
  queries: number;
}

/** Parses an expression that contains a query: numbers alone have no series, no steps and no tags. */
function parseWithQuery(state: State): Expression {
  const first = state.reader.peek('expression');
  const before = state.queries;
  const expression = parseSum(state);
  if (state.queries === before) {
    throw state.reader.error(first, 'only constants', 'at least one query, such as avg:system.load.1{*}');
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
  if (token.type === 'number') return parseConstant(reader, token);
  if (reader.takeSymbol('expression', '(')) {
    const expression = reader.nested(token, () => parseSum(state));
    reader.expectSymbol('expression', ')', 'an operator or ")"');
    return expression;
  }
  if (token.type === 'string') return parseLeaf(state, token, DEFAULT_AGGREGATOR);
  if (token.type !== 'name') throw reader.unexpected(token, AN_EXPRESSION);
  reader.take(token);
  const next = reader.peek('expression');
  if (next.type === 'symbol' && next.text === '(') return parseCall(state, token);
  if (reader.takeSymbol('expression', ':')) {
    const metric = reader.peek('expression');
    return parseLeaf(state, metric, aggregatorOf(reader, token));
  }
  return parseLeaf(state, token, DEFAULT_AGGREGATOR);
}

const DEFAULT_AGGREGATOR: Aggregator = { type: 'space', name: 'avg' };

function parseConstant(reader: TokenReader, token: Token): Expression {
  const value = Number(token.text);
  if (!Number.isFinite(value)) throw reader.unexpected(token, 'a number that fits into 64 bits');
  reader.countLeaf(token);
  reader.take(token);
  return { type: 'constant', value };
}

function aggregatorOf(reader: TokenReader, token: Token): Aggregator {
  const name = SPACE_AGGREGATORS.find((one) => one === token.text);
  if (name !== undefined) return { type: 'space', name };
  const percentile = Number(PERCENTILE.exec(token.text)?.[1]);
  if (percentile > 0) return { type: 'percentile', percentile };
  const expected = `an aggregator (${SPACE_AGGREGATORS.join(', ')}, or p50 to p99.9)`;
  throw reader.unknownName(token, expected, AGGREGATOR_NAMES);
}

function parseCall(state: State, token: Token): Expression {
  const { reader } = state;
  const name = token.text;
  if (!isFunctionName(name)) {
    throw reader.unknownName(token, `a function (${FUNCTION_NAMES.join(', ')}) or a metric with {…}`, FUNCTION_NAMES);
  }
  reader.expectSymbol('expression', '(');
  const operand = reader.nested(token, () => parseWithQuery(state));
  const args = FUNCTIONS[name].map((parameter) => parseArgument(reader, name, parameter));
  reader.expectSymbol('expression', ')', args.length === 0 ? 'an operator or ")"' : '")"');
  return { type: 'call', name, operand, args };
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
    default:
      return reader.expectChoice(what, parameter.choices);
  }
}

function parseLeaf(state: State, metric: Token, aggregator: Aggregator): QueryLeaf {
  const { reader } = state;
  if ((metric.type !== 'name' && metric.type !== 'string') || metric.text === '') {
    throw reader.unexpected(metric, "a metric's name");
  }
  reader.countLeaf(metric);
  state.queries++;
  reader.take(metric);
  reader.expectSymbol('expression', '{', '"{" and a scope, such as {*}');
  const filter = parseScope(reader);
  const by = reader.peek('expression');
  let groupBy: string[] = [];
  if (by.type === 'name' && by.text.toLowerCase() === 'by') {
    reader.take(by);
    reader.expectSymbol('expression', '{', '"{" and tag keys');
    groupBy = parseGroupBy(reader);
  }
  const leaf: QueryLeaf = { type: 'query', aggregator, metric: metric.text, filter, groupBy };
  return { ...leaf, ...parseSuffixes(reader) };
}

interface Suffixes {
  rollup?: Rollup;
  as?: 'rate' | 'count';
  fill?: Fill;
}

/** Parses `.rollup(…)`, `.as_rate()`, `.as_count()` and `.fill(…)`, in any order, each once. */
function parseSuffixes(reader: TokenReader): Suffixes {
  const suffixes: Suffixes = {};
  while (reader.takeSymbol('expression', '.')) {
    const token = reader.peek('expression');
    const name = reader.expectChoice<SuffixName>('a function after the dot', SUFFIX_NAMES);
    reader.expectSymbol('expression', '(');
    const field = name === 'rollup' || name === 'fill' ? name : 'as';
    if (suffixes[field] !== undefined) {
      throw reader.error(
        token,
        `a second ${field === 'as' ? 'as_rate or as_count' : name}`,
        'each function at most once',
      );
    }
    if (name === 'rollup') suffixes.rollup = parseRollup(reader);
    else if (name === 'fill') suffixes.fill = parseFill(reader);
    else suffixes.as = name === 'as_rate' ? 'rate' : 'count';
    reader.expectSymbol('expression', ')');
  }
  return suffixes;
}

function parseRollup(reader: TokenReader): Rollup {
  const first = reader.peek('expression');
  if (first.type === 'number') return { seconds: parseRollupSeconds(reader) };
  const method = reader.expectChoice('a rollup method or a number of seconds', ROLLUP_METHODS);
  if (!reader.takeSymbol('expression', ',')) return { method };
  return { method, seconds: parseRollupSeconds(reader) };
}

function parseRollupSeconds(reader: TokenReader): number {
  return reader.expectInteger('seconds of the rollup', 1, reader.limits.rollupSeconds);
}

function parseFill(reader: TokenReader): Fill {
  const mode = reader.expectChoice('a fill mode', FILL_MODES);
  if (!reader.takeSymbol('expression', ',')) return { mode, limitSeconds: DEFAULT_FILL_LIMIT_SECONDS };
  return { mode, limitSeconds: reader.expectInteger('the maximum seconds of the fill', 1, reader.limits.fillSeconds) };
}
