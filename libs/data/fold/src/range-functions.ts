import { assert } from '@tidemark/ports';
import { autosmooth, longestSmoothSpan } from './autosmooth.ts';
import type { Frame } from './frame.ts';
import type { FunctionArgument } from './frame-functions.ts';
import { fromStep } from './frame-steps.ts';
import { MOVING_METHODS } from './method-names.ts';
import { RANK_METHODS, RANK_ORDERS, type RankMethod, type RankOrder, top } from './rank.ts';
import { monotonicDiff, throughput } from './rates.ts';
import { cumsum, integral } from './running.ts';
import { ewma, ewmaWindow, movingMedian, movingRollup, rollingAverage } from './smoothing.ts';
import { piecewiseConstant, robustTrend, trendLine } from './trends.ts';
import {
  countNonzero,
  countNotNull,
  cutoffMax,
  cutoffMin,
  defaultValue,
  excludeNull,
  round,
} from './value-functions.ts';
import type { Work } from './work.ts';

/** The steps of a range, as far as functions must know them before anything is read. */
export interface StepShape {
  readonly stepMs: number;
  readonly steps: number;
  readonly isCalendar: boolean;
}

type Arguments = readonly FunctionArgument[];

interface RangeFunction {
  /** Steps before the range that the values of its first step depend on. */
  readonly history?: (shape: StepShape, args: Arguments) => number;
  /** Applies the function to a frame whose first `before` steps are earlier than the range. */
  readonly apply: (frame: Frame, args: Arguments, before: number) => Work<Frame>;
}

const ewmaOf = (span: number): RangeFunction => ({
  history: () => ewmaWindow(span) - 1,
  apply: (frame) => ewma(frame, span),
});
const medianOf = (span: number): RangeFunction => ({
  history: () => span - 1,
  apply: (frame) => movingMedian(frame, span),
});
const averageOf = (span: number): RangeFunction => ({
  history: () => span - 1,
  apply: (frame) => rollingAverage(frame, span),
});
/** A function of all values of the range, which begins with it. */
const ofRange = (change: (frame: Frame) => Work<Frame>): RangeFunction => ({
  apply: (frame, _, before) => fromStep(frame, before, change),
});

const FUNCTIONS = {
  ewma_1: ewmaOf(1),
  ewma_3: ewmaOf(3),
  ewma_5: ewmaOf(5),
  ewma_7: ewmaOf(7),
  ewma_10: ewmaOf(10),
  ewma_20: ewmaOf(20),
  median_3: medianOf(3),
  median_5: medianOf(5),
  median_7: medianOf(7),
  median_9: medianOf(9),
  rollingavg_5: averageOf(5),
  rollingavg_13: averageOf(13),
  rollingavg_21: averageOf(21),
  rollingavg_29: averageOf(29),
  moving_rollup: {
    history: (shape, args) => movingWindow(shape.stepMs, numberOf(args, 0)) - 1,
    apply: (frame, args) => {
      const method = MOVING_METHODS.find((one) => one === args[1]);
      assert(method !== undefined, 'the method of moving_rollup is one of its own');
      return movingRollup(frame, movingWindow(frame.stepMs, numberOf(args, 0)), method);
    },
  },
  autosmooth: {
    history: ({ steps }) => longestSmoothSpan(steps) - 1,
    apply: (frame, _, before) => autosmooth(frame, before),
  },
  trend_line: ofRange(trendLine),
  robust_trend: ofRange(robustTrend),
  piecewise_constant: ofRange(piecewiseConstant),
  count_nonzero: { apply: countNonzero },
  count_not_null: { apply: countNotNull },
  exclude_null: { apply: excludeNull },
  cutoff_min: { apply: (frame, args) => cutoffMin(frame, numberOf(args, 0)) },
  cutoff_max: { apply: (frame, args) => cutoffMax(frame, numberOf(args, 0)) },
  round: { apply: (frame, args) => round(frame, numberOf(args, 0)) },
  default: { apply: (frame, args) => defaultValue(frame, numberOf(args, 0)) },
  monotonic_diff: { apply: monotonicDiff },
  throughput: { apply: throughput },
} satisfies Record<string, RangeFunction>;

export type RangeFunctionName = keyof typeof FUNCTIONS;

export const RANGE_FUNCTION_NAMES: readonly RangeFunctionName[] = Object.keys(FUNCTIONS).filter(isRangeFunction);

export function isRangeFunction(name: string): name is RangeFunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

/** Whole steps that fit into `seconds`; at least the own one. */
export function movingWindow(stepMs: number, seconds: number): number {
  return Math.max(1, Math.floor((seconds * 1000) / stepMs));
}

/** Steps before the range that a function's values depend on; 0 of functions of other files. */
export function historyOf(name: string, shape: StepShape, args: Arguments): number {
  if (!isRangeFunction(name)) return 0;
  const { history }: RangeFunction = FUNCTIONS[name];
  return history?.(shape, args) ?? 0;
}

/**
 * Applies a function of this file, or one of those whose result depends on where the range begins (`cumsum`,
 * `integral`, `top`, `bottom`), to a frame whose first `before` steps are earlier than the range; undefined of any other
 * function. Names of series are wrapped as `applyFunction` does.
 */
export function* applyRangeFunction(
  name: string,
  frame: Frame,
  args: Arguments,
  before: number,
): Work<Frame | undefined> {
  const apply = applierOf(name);
  if (apply === undefined) return undefined;
  const result = yield* apply(frame, args, before);
  return { ...result, series: result.series.map((series) => ({ ...series, metric: `${name}(${series.metric})` })) };
}

function applierOf(name: string): RangeFunction['apply'] | undefined {
  if (isRangeFunction(name)) return FUNCTIONS[name].apply;
  if (name === 'cumsum') return ofRange(cumsum).apply;
  if (name === 'integral') return ofRange(integral).apply;
  return name === 'top' || name === 'bottom' ? rank : undefined;
}

function rank(frame: Frame, args: Arguments, before: number): Work<Frame> {
  const method: RankMethod | undefined = RANK_METHODS.find((one) => one === args[1]);
  const order: RankOrder | undefined = RANK_ORDERS.find((one) => one === args[2]);
  return top(frame, numberOf(args, 0), method, order, before);
}

function numberOf(args: Arguments, index: number): number {
  const value = args[index];
  assert(typeof value === 'number', `argument ${index + 1} is a number`);
  return value;
}
