import { applyFunction, arithmetic, asRate, type Frame, fill, negate, type Operand } from '@tidemark/fold';
import { assert, unreachable } from '@tidemark/ports';
import type { Expression, Query, QueryLeaf } from './ast.ts';

/** Returns the leaves of a query that the stores must answer, in reading order; equal leaves as often as they occur. */
export function leavesOf(query: Query): QueryLeaf[] {
  const leaves: QueryLeaf[] = [];
  for (const expression of query.expressions) collectLeaves(expression, leaves);
  return leaves;
}

function collectLeaves(expression: Expression, out: QueryLeaf[]): void {
  switch (expression.type) {
    case 'query':
      out.push(expression);
      break;
    case 'constant':
      break;
    case 'negate':
    case 'call':
      collectLeaves(expression.operand, out);
      break;
    case 'binary':
      collectLeaves(expression.left, out);
      collectLeaves(expression.right, out);
      break;
    default:
      unreachable(expression);
  }
}

/**
 * Evaluates every expression over the frames of its leaves; one frame each, in the query's order. `frameOf` gives a
 * leaf after its folds over time and space, with amounts per step for counts; as_rate, as_count and fill are applied
 * here. Throws what `arithmetic` throws when two sides don't fit together.
 */
export function evaluate(query: Query, frameOf: (leaf: QueryLeaf) => Frame): Frame[] {
  return query.expressions.map((expression) => frameOnly(evaluateExpression(expression, frameOf)));
}

function evaluateExpression(expression: Expression, frameOf: (leaf: QueryLeaf) => Frame): Operand {
  switch (expression.type) {
    case 'query':
      return finishLeaf(expression, frameOf(expression));
    case 'constant':
      return expression.value;
    case 'negate':
      return negate(evaluateExpression(expression.operand, frameOf));
    case 'binary':
      return arithmetic(
        expression.operator,
        evaluateExpression(expression.left, frameOf),
        evaluateExpression(expression.right, frameOf),
      );
    case 'call':
      return applyFunction(
        expression.name,
        frameOnly(evaluateExpression(expression.operand, frameOf)),
        expression.args,
      );
    default:
      return unreachable(expression);
  }
}

function finishLeaf(leaf: QueryLeaf, folded: Frame): Frame {
  const frame = leaf.as === 'rate' ? asRate(folded) : folded;
  return leaf.fill === undefined ? frame : fill(frame, leaf.fill.mode, leaf.fill.limitSeconds);
}

function frameOnly(operand: Operand): Frame {
  assert(typeof operand !== 'number', 'the parser refuses expressions without a query');
  return operand;
}
