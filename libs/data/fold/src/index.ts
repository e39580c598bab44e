export type { Operand, Operator } from './arithmetic.ts';
export { arithmetic, negate, OPERATORS } from './arithmetic.ts';
export type { FillMode } from './fill.ts';
export { DEFAULT_FILL_LIMIT_SECONDS, defaultZero, FILL_MODES, fill } from './fill.ts';
export type { SpaceFold, SpaceFoldName, TimeFold, TimeFoldName } from './fold.ts';
export { SPACE_FOLD, spaceFoldOf, TIME_FOLD, timeFoldOf } from './fold.ts';
export type { Frame, FrameSeries } from './frame.ts';
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
export type { PartialBytes, PartialLimits } from './partial-bytes.ts';
export { DEFAULT_PARTIAL_LIMITS, packPartial, unpackPartial } from './partial-bytes.ts';
export type { RankMethod, RankOrder } from './rank.ts';
export { bottom, RANK_METHODS, RANK_ORDERS, top } from './rank.ts';
export { asCount, asRate, derivative, diff, dt, perHour, perMinute, perSecond } from './rates.ts';
export { cumsum, integral } from './running.ts';
export type { QuantileBounds, SpaceRead } from './space-partial.ts';
export { SpacePartial } from './space-partial.ts';
export type { FoldedSeries, Steps, TimeFolderOptions } from './time-folder.ts';
export { TimeFolder } from './time-folder.ts';
