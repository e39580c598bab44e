import { DEFAULT_FILL_LIMIT_SECONDS, type FunctionArgument, type Operator, type Regrouping } from '@tidemark/fold';
import { unreachable } from '@tidemark/ports';
import type { Aggregator, Expression, Query, QueryLeaf, TagFilter } from './ast.ts';
import { printRollup } from './parse-rollup.ts';
import { writeMetric, writePattern, writeWord } from './words.ts';

/** Prints a query in its normal form; parsing the text gives the same query. */
export function printQuery(query: Query): string {
  return query.expressions.map((expression) => printExpression(expression)).join(', ');
}

export function printExpression(expression: Expression): string {
  switch (expression.type) {
    case 'query':
      return printLeaf(expression);
    case 'constant':
      return String(expression.value);
    case 'negate':
      return `-${within(expression.operand, UNARY)}`;
    case 'binary': {
      const precedence = precedenceOf(expression.operator);
      // Operators of one precedence associate to the left, so only the right operand needs parentheses.
      return `${within(expression.left, precedence)} ${expression.operator} ${within(expression.right, precedence + 1)}`;
    }
    case 'call':
      return `${expression.name}(${[printExpression(expression.operand), ...expression.args.map(printArgument)].join(', ')})`;
    case 'regroup': {
      const by = expression.groupBy.length > 0 ? ` by {${expression.groupBy.map(writeWord).join(',')}}` : '';
      return `${printAggregator(expression.how)}(${printExpression(expression.operand)})${by}`;
    }
    case 'reduce':
      return `${expression.method} of the range of (${printExpression(expression.operand)})`;
    default:
      return unreachable(expression);
  }
}

export function printAggregator(aggregator: Aggregator | Regrouping): string {
  return aggregator.type === 'percentile' ? `p${aggregator.percentile}` : aggregator.name;
}

const UNARY = 3;

function precedenceOf(operator: Operator): number {
  return operator === '+' || operator === '-' ? 1 : 2;
}

function within(expression: Expression, precedence: number): string {
  const text = printExpression(expression);
  return expression.type === 'binary' && precedenceOf(expression.operator) < precedence ? `(${text})` : text;
}

function printArgument(argument: FunctionArgument): string {
  return typeof argument === 'number' ? String(argument) : `'${argument}'`;
}

function printLeaf(leaf: QueryLeaf): string {
  let text = `${printAggregator(leaf.aggregator)}:${writeMetric(leaf.metric)}{${printFilter(leaf.filter)}}`;
  if (leaf.groupBy.length > 0) text += ` by {${leaf.groupBy.map(writeWord).join(',')}}`;
  if (leaf.as !== undefined) text += `.as_${leaf.as}()`;
  if (leaf.rollup !== undefined) text += `.rollup(${printRollup(leaf.rollup)})`;
  if (leaf.rollupAgain !== undefined) text += `.rollup(${printRollup(leaf.rollupAgain)})`;
  if (leaf.weighted !== undefined) text += `.weighted(${leaf.weighted})`;
  if (leaf.fill !== undefined) {
    const { mode, limitSeconds } = leaf.fill;
    text += limitSeconds === DEFAULT_FILL_LIMIT_SECONDS ? `.fill(${mode})` : `.fill(${mode}, ${limitSeconds})`;
  }
  return text;
}

/** Prints the filter between the braces: with commas and `!` where these suffice, with words otherwise. */
export function printFilter(filter: TagFilter): string {
  if (isSymbolic(filter)) return printSymbolic(filter);
  if (filter.type === 'and' && filter.filters.every(isSymbolic)) return filter.filters.map(printSymbolic).join(',');
  return printWords(filter);
}

type Symbolic = Extract<TagFilter, { type: 'all' | 'tag' | 'pattern' | 'not' }>;

function isSymbolic(filter: TagFilter): filter is Symbolic {
  if (filter.type === 'not') return isPlain(filter.filter);
  return isPlain(filter);
}

function isPlain(filter: TagFilter): boolean {
  return filter.type === 'all' || filter.type === 'tag' || filter.type === 'pattern';
}

function printSymbolic(filter: Symbolic): string {
  return filter.type === 'not' ? `!${printWords(filter.filter)}` : printWords(filter);
}

function printWords(filter: TagFilter): string {
  switch (filter.type) {
    case 'all':
      return '*';
    case 'tag':
      return writeWord(filter.tag);
    case 'pattern':
      return writePattern(filter.key, filter.pattern);
    case 'in':
      return `${writeWord(filter.key)} IN ${printValues(filter.values)}`;
    case 'not':
      if (filter.filter.type === 'in') {
        return `${writeWord(filter.filter.key)} NOT IN ${printValues(filter.filter.values)}`;
      }
      return `NOT ${grouped(filter.filter)}`;
    case 'and':
      return filter.filters
        .map((part) => (part.type === 'or' ? `(${printWords(part)})` : printWords(part)))
        .join(' AND ');
    case 'or':
      return filter.filters.map(printWords).join(' OR ');
    default:
      return unreachable(filter);
  }
}

function grouped(filter: TagFilter): string {
  return filter.type === 'and' || filter.type === 'or' ? `(${printWords(filter)})` : printWords(filter);
}

function printValues(values: readonly string[]): string {
  return `(${values.map(writeWord).join(',')})`;
}
