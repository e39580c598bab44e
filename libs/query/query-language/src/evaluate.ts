import {
  applyFunction,
  applyRangeFunction,
  arithmetic,
  asRate,
  dropSteps,
  type Frame,
  fill,
  negate,
  type Operand,
  reduceToStep,
  refold,
  regroup,
  secondsOf,
} from '@tidemark/fold';
import { assert, unreachable } from '@tidemark/ports';
import type { Call, Expression, Query, QueryLeaf } from './ast.ts';
import {
  type LeafView,
  PLAIN_VIEW,
  readStepsOf,
  type ShapeOf,
  viewForFill,
  viewOfReduced,
  viewWithin,
} from './leaf-view.ts';
import { printAggregator } from './print.ts';
import { shiftOf } from './shift-functions.ts';

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

/**
 * Evaluates every expression over the frames of its leaves; one frame each, in the query's order. `frameOf` gives a
 * leaf after its folds over time and space, with amounts per step for counts, with the view that `leafUses` gives it:
 * at the times of the query, but with the values of the shifted times, and with `before` steps before the range.
 * A leaf with a second rollup has `readStepsOf` steps for each of the view's. as_rate, as_count, weighted, fill and the
 * second rollup are applied here. `shapeOf` is asked where a function needs values before the
 * range. Throws what `arithmetic` and `regroup` throw when series don't fit together.
 */
export function evaluate(
  query: Query,
  frameOf: (leaf: QueryLeaf, view: LeafView) => Frame,
  shapeOf: ShapeOf = defaultShape,
): Frame[] {
  const evaluator = new Evaluator(frameOf, shapeOf);
  return query.expressions.map((expression) => frameOnly(evaluator.evaluate(expression, PLAIN_VIEW)));
}

/** For queries without functions that look back. */
const defaultShape: ShapeOf = (leaf) => ({
  stepMs: (leaf.rollup?.seconds ?? 1) * 1000,
  steps: 1,
  isCalendar: leaf.rollup?.calendar !== undefined,
});

class Evaluator {
  readonly #frameOf: (leaf: QueryLeaf, view: LeafView) => Frame;
  readonly #shapeOf: ShapeOf;

  constructor(frameOf: (leaf: QueryLeaf, view: LeafView) => Frame, shapeOf: ShapeOf) {
    this.#frameOf = frameOf;
    this.#shapeOf = shapeOf;
  }

  /** The value of an expression; a frame has the steps of the range and `view.before` steps before it. */
  evaluate(expression: Expression, view: LeafView): Operand {
    switch (expression.type) {
      case 'query':
        return this.#leaf(expression, view);
      case 'constant':
        return expression.value;
      case 'negate':
        return negate(this.evaluate(expression.operand, view));
      case 'binary':
        return arithmetic(
          expression.operator,
          this.evaluate(expression.left, view),
          this.evaluate(expression.right, view),
        );
      case 'call':
        return this.#call(expression, view);
      case 'regroup': {
        const frame = regroup(frameOnly(this.evaluate(expression.operand, view)), expression.how, expression.groupBy);
        return renamed(frame, printAggregator(expression.how));
      }
      case 'reduce': {
        const { method, fromMs, toMs, operand } = expression;
        return reduceToStep(frameOnly(this.evaluate(operand, viewOfReduced(view))), method, fromMs, toMs);
      }
      default:
        return unreachable(expression);
    }
  }

  #leaf(leaf: QueryLeaf, view: LeafView): Frame {
    const within = viewForFill(leaf, view, this.#shapeOf);
    return dropSteps(finishLeaf(leaf, this.#frameOf(leaf, within)), within.before - view.before);
  }

  #call(call: Call, view: LeafView): Frame {
    const within = viewWithin(call, view, this.#shapeOf);
    const frame = frameOnly(this.evaluate(call.operand, within));
    if (shiftOf(call.name, call.args) !== undefined) return renamed(frame, call.name);
    const applied =
      applyRangeFunction(call.name, frame, call.args, within.before) ?? applyFunction(call.name, frame, call.args);
    return dropSteps(applied, within.before - view.before);
  }
}

function renamed(frame: Frame, name: string): Frame {
  return { ...frame, series: frame.series.map((series) => ({ ...series, metric: `${name}(${series.metric})` })) };
}

function finishLeaf(leaf: QueryLeaf, folded: Frame): Frame {
  const frame = leaf.as === 'rate' ? asRate(folded) : weighted(leaf, folded);
  const filled = leaf.fill === undefined ? frame : fill(frame, leaf.fill.mode, leaf.fill.limitSeconds);
  return leaf.rollupAgain === undefined ? filled : refold(filled, leaf.rollupAgain.method, readStepsOf(leaf));
}

/** Sums of values become averages over the whole step: each value counts for the time until the next is due. */
function weighted(leaf: QueryLeaf, frame: Frame): Frame {
  const { weighted: seconds } = leaf;
  if (seconds === undefined) return frame;
  return {
    ...frame,
    series: frame.series.map((series) => ({
      ...series,
      values: series.values.map((value, i) => (value * seconds) / secondsOf(frame, i)),
    })),
  };
}

function frameOnly(operand: Operand): Frame {
  assert(typeof operand !== 'number', 'the parser refuses expressions without a query');
  return operand;
}
