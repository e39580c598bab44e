import { KIND, type Kind } from '@tidemark/model';
import { unreachable } from '@tidemark/ports';
import type { Binary, Call, Expression, QueryLeaf } from './ast.ts';
import type { FunctionName } from './functions.ts';

/** The unit of values, in Datadog's names: `byte`, or `byte` per `second`. */
export interface ValueUnit {
  readonly name: string;
  /** Empty for values other than rates. */
  readonly per: '' | 'second' | 'minute' | 'hour';
}

/** What is known of a leaf's metric. */
export interface LeafMeaning {
  /** As stated; undefined when it is not. */
  readonly unit: string | undefined;
  readonly kinds: readonly Kind[];
}

type MeaningOf = (leaf: QueryLeaf) => LeafMeaning;

/** Returns the unit of an expression's values; undefined where none follows from what is stated. */
export function unitOf(expression: Expression, meaningOf: MeaningOf): ValueUnit | undefined {
  switch (expression.type) {
    case 'query':
      return unitOfLeaf(expression, meaningOf(expression));
    case 'constant':
      return undefined;
    case 'negate':
      return unitOf(expression.operand, meaningOf);
    case 'binary':
      return unitOfBinary(expression, meaningOf);
    case 'call':
      return unitOfCall(expression, unitOf(expression.operand, meaningOf));
    case 'regroup': {
      const isCount = expression.how.type === 'method' && expression.how.name === 'count';
      return isCount ? undefined : unitOf(expression.operand, meaningOf);
    }
    case 'reduce':
      return expression.method === 'area' ? undefined : unitOf(expression.operand, meaningOf);
    default:
      return unreachable(expression);
  }
}

function unitOfLeaf(leaf: QueryLeaf, { unit, kinds }: LeafMeaning): ValueUnit | undefined {
  const methods = [leaf.aggregator.type === 'space' ? leaf.aggregator.name : 'avg', leaf.rollupAgain?.method];
  const counts = methods.includes('count') || leaf.rollup?.method === 'count';
  if (unit === undefined || counts) return undefined;
  if (leaf.as !== 'rate') return { name: unit, per: '' };
  const areRates = kinds.filter((kind) => kind !== KIND.gauge);
  // A rate of a gauge is the gauge: values of both have no unit in common.
  if (areRates.length > 0 && areRates.length < kinds.length) return undefined;
  return { name: unit, per: areRates.length > 0 ? 'second' : '' };
}

function unitOfBinary({ operator, left, right }: Binary, meaningOf: MeaningOf): ValueUnit | undefined {
  const a = unitOf(left, meaningOf);
  const b = unitOf(right, meaningOf);
  switch (operator) {
    case '+':
    case '-':
      if (right.type === 'constant') return a;
      if (left.type === 'constant') return b;
      return a?.name === b?.name && a?.per === b?.per ? a : undefined;
    case '*':
      if (right.type === 'constant') return a;
      return left.type === 'constant' ? b : undefined;
    case '/':
      return right.type === 'constant' ? a : undefined;
    default:
      return unreachable(operator);
  }
}

type Effect = 'none' | 'second' | 'minute' | 'hour' | 'times seconds';

/** Functions whose values have another unit than their operand. */
const EFFECTS: Partial<Readonly<Record<FunctionName, Effect>>> = {
  log2: 'none',
  log10: 'none',
  count_nonzero: 'none',
  count_not_null: 'none',
  per_second: 'second',
  derivative: 'second',
  throughput: 'second',
  per_minute: 'minute',
  per_hour: 'hour',
  integral: 'times seconds',
};

function unitOfCall({ name, args }: Call, unit: ValueUnit | undefined): ValueUnit | undefined {
  if (name === 'dt') return { name: 'second', per: '' };
  if (name === 'moving_rollup' && args[1] === 'count') return undefined;
  const effect = EFFECTS[name];
  if (unit === undefined || effect === 'none') return undefined;
  if (effect === undefined) return unit;
  if (effect === 'times seconds') return unit.per === 'second' ? { ...unit, per: '' } : undefined;
  return unit.per === '' ? { ...unit, per: effect } : undefined;
}
