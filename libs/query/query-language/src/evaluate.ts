import {
  applyFunction,
  applyRangeFunction,
  arithmetic,
  asRate,
  dropSteps,
  type Frame,
  fill,
  mapValues,
  negate,
  type Operand,
  reduceToStep,
  refold,
  regroup,
  secondsOf,
  type Work,
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
import { type FrameMemory, OperationMemory, UNLIMITED } from './operation-memory.ts';
import { printAggregator } from './print.ts';
import { shiftOf } from './shift-functions.ts';

/**
 * Evaluates every expression over the frames of its leaves; one frame each, in the query's order. `frameOf` gives a
 * leaf after its folds over time and space, with amounts per step for counts, with the view that `leafUses` gives it:
 * at the times of the query, but with the values of the shifted times, and with `before` steps before the range.
 * A leaf with a second rollup has `readStepsOf` steps for each of the view's. as_rate, as_count, weighted, fill and the
 * second rollup are applied here. `shapeOf` is asked where a function needs values before the
 * range. Throws what `arithmetic` and `regroup` throw when series don't fit together, and what `memory.take` throws; the
 * memory of the frames that are returned stays taken.
 */
export function* evaluate(
  query: Query,
  frameOf: (leaf: QueryLeaf, view: LeafView) => Frame,
  shapeOf: ShapeOf = defaultShape,
  memory: FrameMemory = UNLIMITED,
): Work<Frame[]> {
  const evaluator = new Evaluator(frameOf, shapeOf, memory);
  const frames: Frame[] = [];
  for (const expression of query.expressions) {
    frames.push(frameOnly(yield* evaluator.evaluate(expression, PLAIN_VIEW)));
  }
  return frames;
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
  readonly #memory: OperationMemory;

  constructor(frameOf: (leaf: QueryLeaf, view: LeafView) => Frame, shapeOf: ShapeOf, memory: FrameMemory) {
    this.#frameOf = frameOf;
    this.#shapeOf = shapeOf;
    this.#memory = new OperationMemory(memory);
  }

  /** The value of an expression; a frame has the steps of the range and `view.before` steps before it. */
  *evaluate(expression: Expression, view: LeafView): Work<Operand> {
    switch (expression.type) {
      case 'query':
        return yield* this.#leaf(expression, view);
      case 'constant':
        return expression.value;
      case 'negate': {
        const operand = yield* this.evaluate(expression.operand, view);
        return yield* this.#memory.within([operand], negate(operand));
      }
      case 'binary': {
        const left = yield* this.evaluate(expression.left, view);
        const right = yield* this.evaluate(expression.right, view);
        return yield* this.#memory.within([left, right], arithmetic(expression.operator, left, right));
      }
      case 'call':
        return yield* this.#call(expression, view);
      case 'regroup': {
        const { how, groupBy } = expression;
        const operand = frameOnly(yield* this.evaluate(expression.operand, view));
        const frame = yield* this.#memory.within([operand], regroup(operand, how, groupBy));
        return renamed(frame, printAggregator(how));
      }
      case 'reduce': {
        const { method, fromMs, toMs, operand } = expression;
        const frame = frameOnly(yield* this.evaluate(operand, viewOfReduced(view)));
        return yield* this.#memory.within([frame], reduceToStep(frame, method, fromMs, toMs));
      }
      default:
        return unreachable(expression);
    }
  }

  *#leaf(leaf: QueryLeaf, view: LeafView): Work<Frame> {
    const within = viewForFill(leaf, view, this.#shapeOf);
    const folded = this.#frameOf(leaf, within);
    this.#memory.addLeaf(folded);
    const finished = yield* this.#finishLeaf(leaf, folded);
    return dropSteps(finished, within.before - view.before);
  }

  *#finishLeaf(leaf: QueryLeaf, folded: Frame): Work<Frame> {
    let frame = folded;
    if (leaf.as === 'rate') frame = yield* this.#memory.within([frame], asRate(frame));
    else if (leaf.weighted !== undefined) {
      frame = yield* this.#memory.within([frame], weighted(leaf.weighted, frame));
    }
    if (leaf.fill !== undefined) {
      frame = yield* this.#memory.within([frame], fill(frame, leaf.fill.mode, leaf.fill.limitSeconds));
    }
    if (leaf.rollupAgain === undefined) return frame;
    return yield* this.#memory.within([frame], refold(frame, leaf.rollupAgain.method, readStepsOf(leaf)));
  }

  *#call(call: Call, view: LeafView): Work<Frame> {
    const within = viewWithin(call, view, this.#shapeOf);
    const frame = frameOnly(yield* this.evaluate(call.operand, within));
    if (shiftOf(call.name, call.args) !== undefined) return renamed(frame, call.name);
    const applied = yield* this.#memory.within([frame], appliedCall(call, frame, within.before));
    return dropSteps(applied, within.before - view.before);
  }
}

/** The function of a call over a frame whose first `before` steps are earlier than the range. */
function* appliedCall({ name, args }: Call, frame: Frame, before: number): Work<Frame> {
  const applied = yield* applyRangeFunction(name, frame, args, before);
  return applied ?? (yield* applyFunction(name, frame, args));
}

function renamed(frame: Frame, name: string): Frame {
  return { ...frame, series: frame.series.map((series) => ({ ...series, metric: `${name}(${series.metric})` })) };
}

/** Sums of values become averages over the whole step: each value counts for the time until the next is due. */
function weighted(seconds: number, frame: Frame): Work<Frame> {
  return mapValues(frame, (values, out) => {
    for (let i = 0; i < values.length; i++) out[i] = (values[i] * seconds) / secondsOf(frame, i);
  });
}

function frameOnly(operand: Operand): Frame {
  assert(typeof operand !== 'number', 'the parser refuses expressions without a query');
  return operand;
}
