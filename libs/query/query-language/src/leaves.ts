import { unreachable } from '@tidemark/ports';
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
    case 'regroup':
    case 'reduce':
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
