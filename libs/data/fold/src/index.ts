export type { Operand, Operator } from './arithmetic.ts';
export { arithmetic, negate, OPERATORS } from './arithmetic.ts';
export { autosmooth, longestSmoothSpan } from './autosmooth.ts';
export type { Calendar, CalendarUnit } from './calendar-steps.ts';
export { CALENDAR_BEGINS, CALENDAR_UNITS, calendarStarts, mostCalendarSteps } from './calendar-steps.ts';
export type { FillMode } from './fill.ts';
export { DEFAULT_FILL_LIMIT_SECONDS, defaultZero, FILL_MODES, fill } from './fill.ts';
export type { SpaceFold, SpaceFoldName, TimeFold, TimeFoldName } from './fold.ts';
export { SPACE_FOLD, spaceFoldOf, TIME_FOLD, timeFoldOf } from './fold.ts';
export type { FoldMemory } from './fold-kernel.ts';
export { FoldKernel } from './fold-kernel.ts';
export type { FoldProgram } from './fold-program.ts';
export { foldProgram, hasProgram } from './fold-program.ts';
export type { Steps } from './folded-steps.ts';
export type { Frame, FrameSeries } from './frame.ts';
export { mapValues, SERIES_COST } from './frame.ts';
export type { FrameFunctionName, FunctionArgument } from './frame-functions.ts';
export {
  abs,
  applyFunction,
  clampMax,
  clampMin,
  FRAME_FUNCTION_NAMES,
  isFrameFunction,
  log2,
  log10,
} from './frame-functions.ts';
export { dropSteps, fromStep, haveSameSteps, secondsBetween, secondsOf, startOf } from './frame-steps.ts';
export { IntervalCounts } from './interval-counts.ts';
export type { MovingMethod, RefoldMethod, Regrouping, RegroupMethod } from './method-names.ts';
export { MOVING_METHODS, REFOLD_METHODS, REGROUP_METHODS } from './method-names.ts';
export type { PartialBytes, PartialLimits } from './partial-bytes.ts';
export { DEFAULT_PARTIAL_LIMITS, packPartial, unpackPartial } from './partial-bytes.ts';
export { canMakeProgram, ProgramMaker } from './program-maker.ts';
export type { RangeFunctionName, StepShape } from './range-functions.ts';
export {
  applyRangeFunction,
  historyOf,
  isRangeFunction,
  movingWindow,
  RANGE_FUNCTION_NAMES,
} from './range-functions.ts';
export type { RankMethod, RankOrder } from './rank.ts';
export { bottom, RANK_METHODS, RANK_ORDERS, reduceToStep, top } from './rank.ts';
export {
  asCount,
  asRate,
  derivative,
  diff,
  dt,
  monotonicDiff,
  perHour,
  perMinute,
  perSecond,
  throughput,
} from './rates.ts';
export { refold } from './refold.ts';
export { regroup } from './regroup.ts';
export { ReportingIntervals } from './reporting-interval.ts';
export { cumsum, integral } from './running.ts';
export { LARGE } from './scaled-sums.ts';
export { ewma, ewmaWindow, movingMedian, movingRollup, rollingAverage } from './smoothing.ts';
export type { SpaceRead } from './space-partial.ts';
export { SpacePartial } from './space-partial.ts';
export type { FoldedSeries, TimeFolderOptions } from './time-folder.ts';
export { CONTEXT_POINTS, holdMs, TimeFolder } from './time-folder.ts';
export type { Shift } from './time-shift.ts';
export { calendarShiftOf, TimeShifter } from './time-shift.ts';
export { piecewiseConstant, robustTrend, trendLine } from './trends.ts';
export {
  countNonzero,
  countNotNull,
  cutoffMax,
  cutoffMin,
  defaultValue,
  excludeNull,
  round,
} from './value-functions.ts';
export type { WideQuantiles } from './wide-quantiles.ts';
export { wideQuantiles } from './wide-quantiles.ts';
export type { Work } from './work.ts';
export { ZoneClock } from './zone-clock.ts';
