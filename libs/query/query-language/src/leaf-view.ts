import { historyOf, type Shift, type StepShape } from '@tidemark/fold';
import { TidemarkError, unreachable } from '@tidemark/ports';
import type { Call, Expression, Query, QueryLeaf } from './ast.ts';
import { shiftOf } from './shift-functions.ts';

/** What the functions around a leaf need of it. The scripts in testdata cover it. */
export interface LeafView {
  /** Shifts of the time that the leaf is read at, the outer one first. */
  readonly shifts: readonly Shift[];
  /** Steps before the range that its frame must have. */
  readonly before: number;
}

export interface LeafUse {
  readonly leaf: QueryLeaf;
  readonly view: LeafView;
}

/** Steps that are read for each step of a leaf's result: more than one where a second rollup folds them. */
export function readStepsOf({ rollup, rollupAgain }: QueryLeaf): number {
  return rollupAgain === undefined || rollup?.seconds === undefined ? 1 : rollupAgain.seconds / rollup.seconds;
}

/** The steps of a leaf over the range that the query is asked for. */
export type ShapeOf = (leaf: QueryLeaf) => StepShape;

/** Steps before a range in which a value that fills it is looked for. */
const MAX_FILL_STEPS = 5000;

export const PLAIN_VIEW: LeafView = { shifts: [], before: 0 };

/** The leaves of a query, in reading order, each with the view of the functions around it. */
export function leafUses(query: Query, shapeOf: ShapeOf): LeafUse[] {
  const uses: LeafUse[] = [];
  for (const expression of query.expressions) collectUses(expression, PLAIN_VIEW, shapeOf, uses);
  return uses;
}

function collectUses(expression: Expression, view: LeafView, shapeOf: ShapeOf, out: LeafUse[]): void {
  switch (expression.type) {
    case 'query':
      out.push({ leaf: expression, view: viewForFill(expression, view, shapeOf) });
      break;
    case 'constant':
      break;
    case 'negate':
    case 'regroup':
      collectUses(expression.operand, view, shapeOf, out);
      break;
    case 'call':
      collectUses(expression.operand, viewWithin(expression, view, shapeOf), shapeOf, out);
      break;
    case 'reduce':
      collectUses(expression.operand, viewOfReduced(view), shapeOf, out);
      break;
    case 'binary':
      collectUses(expression.left, view, shapeOf, out);
      collectUses(expression.right, view, shapeOf, out);
      break;
    default:
      unreachable(expression);
  }
}

/** The view of what becomes one value: no function around it has steps to look back at. */
export function viewOfReduced({ shifts }: LeafView): LeafView {
  return { shifts, before: 0 };
}

/** The view that a call has of its operand. Throws `invalid_argument` for a moving rollup over calendar steps. */
export function viewWithin(call: Call, view: LeafView, shapeOf: ShapeOf): LeafView {
  const shift = shiftOf(call.name, call.args);
  if (shift !== undefined) return { ...view, shifts: [...view.shifts, shift] };
  const leaf = firstLeaf(call.operand);
  if (leaf === undefined) return view;
  const shape = shapeOf(leaf);
  if (call.name === 'moving_rollup' && shape.isCalendar) {
    throw new TidemarkError(
      'invalid_argument',
      'moving_rollup: the steps of a calendar have different lengths; give the metric inside a rollup in seconds',
      { field: 'rollup' },
    );
  }
  return { ...view, before: view.before + historyOf(call.name, shape, call.args) };
}

/** The view of a leaf itself: values before the range, which fill what is behind them, have to be read. */
export function viewForFill(leaf: QueryLeaf, view: LeafView, shapeOf: ShapeOf): LeafView {
  const { fill } = leaf;
  if (fill === undefined || fill.mode === 'null') return view;
  const limitMs = fill.limitSeconds * 1000;
  return { ...view, before: view.before + Math.min(MAX_FILL_STEPS, Math.ceil(limitMs / shapeOf(leaf).stepMs)) };
}

function firstLeaf(expression: Expression): QueryLeaf | undefined {
  switch (expression.type) {
    case 'query':
      return expression;
    case 'constant':
    case 'reduce':
      return undefined;
    case 'negate':
    case 'call':
    case 'regroup':
      return firstLeaf(expression.operand);
    case 'binary':
      return firstLeaf(expression.left) ?? firstLeaf(expression.right);
    default:
      return unreachable(expression);
  }
}
