import { TidemarkError } from '@tidemark/ports';
import { type Expression, inField, leavesOf, parseFormula, parseQuery, type QueryLeaf } from '@tidemark/query-language';
import type { Formula, FormulaRequest, NamedQuery } from './formula-request.ts';
import type { QueryServiceLimits } from './query-service-limits.ts';
import { hasAutomaticStep } from './step-notes.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;

/** The expressions of a request, and what its answer must say about them. */
export interface FormulaQuery {
  readonly expressions: readonly Expression[];
  readonly notes: readonly string[];
  /** The field of the request that has one item for each result. */
  readonly resultsAre: 'queries' | 'formulas';
  /** True when the results are one value for each series. */
  readonly isReduced: boolean;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Parses the queries and formulas of a request: one expression for each result. Throws `invalid_argument` with the field
 * (`queries.0.query`, `formulas.1.formula`, …) of the first that is wrong. formulas.test.ts covers it.
 */
export function formulaQuery(request: FormulaRequest, limits: QueryServiceLimits): FormulaQuery {
  const { stepSeconds, notes } = stepOf(request, limits);
  const bound = new Map<string, Expression>();
  request.queries.forEach((query, i) => {
    checkName(query.name, `queries.${i}.name`, bound);
    bound.set(query.name, namedExpression(query, `queries.${i}.query`, request, limits, stepSeconds));
  });
  const expressions =
    request.formulas.length === 0
      ? [...bound.values()]
      : request.formulas.map((formula, i) => formulaExpression(formula, `formulas.${i}`, bound, limits));
  const leaves = leavesOf({ expressions }).length;
  if (leaves > limits.language.leaves) {
    const limit = limits.language.leaves;
    throw refusal('formulas', `${leaves} metrics in all`, `leaves ${limit}`);
  }
  const isReduced = request.queries.some(({ reduction }) => reduction !== undefined);
  const resultsAre = request.formulas.length === 0 ? 'queries' : 'formulas';
  return { expressions, notes, resultsAre, isReduced, fromMs: request.fromMs, toMs: request.toMs };
}

/** The step of metrics without their own, s; undefined when it is chosen for the range. */
function stepOf(
  { intervalMs, fromMs, toMs }: FormulaRequest,
  limits: QueryServiceLimits,
): { readonly stepSeconds: number | undefined; readonly notes: string[] } {
  if (intervalMs === undefined) return { stepSeconds: undefined, notes: [] };
  const stepSeconds = Math.ceil(intervalMs / 1000);
  const steps = Math.ceil((toMs - fromMs) / (stepSeconds * 1000)) + 1;
  if (steps > limits.steps || stepSeconds > limits.language.rollupSeconds) {
    const limit = `limits: steps ${limits.steps}, rollupSeconds ${limits.language.rollupSeconds}`;
    return {
      stepSeconds: undefined,
      notes: [`interval: ${intervalMs} ms gives ${steps} steps of ${stepSeconds} s (${limit}), so it is not used`],
    };
  }
  const isWhole = stepSeconds * 1000 === intervalMs;
  return { stepSeconds, notes: isWhole ? [] : [`interval: ${intervalMs} ms becomes ${stepSeconds} s, whole seconds`] };
}

function checkName(name: string, field: string, known: ReadonlyMap<string, Expression>): void {
  const found = JSON.stringify(name.slice(0, 100));
  if (!NAME.test(name)) throw refusal(field, found, 'a letter, then letters, digits and _, 100 characters');
  if (known.has(name)) throw refusal(field, `${found} is the name of another query`, 'a name for each query');
}

function namedExpression(
  { query, reduction }: NamedQuery,
  field: string,
  { fromMs, toMs }: FormulaRequest,
  limits: QueryServiceLimits,
  stepSeconds: number | undefined,
): Expression {
  const { expressions } = inField(field, () => parseQuery(query, limits.language));
  if (expressions.length > 1) throw refusal(field, `${expressions.length} expressions`, 'one');
  const [operand] = expressions;
  const stepped = stepSeconds === undefined ? operand : withStep(operand, stepSeconds);
  return reduction === undefined ? stepped : { type: 'reduce', method: reduction, fromMs, toMs, operand: stepped };
}

/** The expression with a step for each leaf that has none. */
function withStep(expression: Expression, seconds: number): Expression {
  switch (expression.type) {
    case 'query':
      return leafWithStep(expression, seconds);
    case 'constant':
      return expression;
    case 'binary': {
      const { left, right } = expression;
      return { ...expression, left: withStep(left, seconds), right: withStep(right, seconds) };
    }
    default:
      return { ...expression, operand: withStep(expression.operand, seconds) };
  }
}

function leafWithStep(leaf: QueryLeaf, seconds: number): QueryLeaf {
  return hasAutomaticStep(leaf) ? { ...leaf, rollup: { ...leaf.rollup, seconds } } : leaf;
}

function formulaExpression(
  { formula, limit }: Formula,
  field: string,
  bound: ReadonlyMap<string, Expression>,
  limits: QueryServiceLimits,
): Expression {
  const operand = inField(`${field}.formula`, () => parseFormula(formula, bound, limits.language));
  if (limit === undefined) return operand;
  return { type: 'call', name: 'top', operand, args: [limit.count, 'mean', limit.order] };
}

function refusal(field: string, found: string, limit: string): TidemarkError {
  return new TidemarkError('invalid_argument', `${field}: ${found} (limit: ${limit})`, { field });
}
