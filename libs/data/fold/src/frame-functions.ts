import { assert, TidemarkError } from '@tidemark/ports';
import { defaultZero, FILL_MODES, type FillMode, fill } from './fill.ts';
import { type Frame, mapEach } from './frame.ts';
import { bottom, RANK_METHODS, RANK_ORDERS, type RankMethod, type RankOrder, top } from './rank.ts';
import { asCount, asRate, derivative, diff, dt, perHour, perMinute, perSecond } from './rates.ts';
import { cumsum, integral } from './running.ts';
import type { Work } from './work.ts';

export type FunctionArgument = number | string;

/** The absolute values. */
export function abs(frame: Frame): Work<Frame> {
  return mapEach(frame, Math.abs);
}

/** The base-2 logarithms; values at or below zero give no value. */
export function log2(frame: Frame): Work<Frame> {
  return mapEach(frame, (value) => (value > 0 ? Math.log2(value) : Number.NaN));
}

/** The base-10 logarithms; values at or below zero give no value. */
export function log10(frame: Frame): Work<Frame> {
  return mapEach(frame, (value) => (value > 0 ? Math.log10(value) : Number.NaN));
}

/** Replaces values below `limit` by `limit`. */
export function clampMin(frame: Frame, limit: number): Work<Frame> {
  return mapEach(frame, (value) => Math.max(value, limit));
}

/** Replaces values above `limit` by `limit`. */
export function clampMax(frame: Frame, limit: number): Work<Frame> {
  return mapEach(frame, (value) => Math.min(value, limit));
}

type Apply = (frame: Frame, args: readonly FunctionArgument[]) => Work<Frame>;

const FUNCTIONS = {
  abs,
  log2,
  log10,
  per_second: perSecond,
  per_minute: perMinute,
  per_hour: perHour,
  diff,
  derivative,
  dt,
  cumsum,
  integral,
  default_zero: defaultZero,
  as_rate: asRate,
  as_count: asCount,
  fill: (frame, args) => fill(frame, choice<FillMode>(args, 0, FILL_MODES), numberOf(args, 1)),
  clamp_min: (frame, args) => clampMin(frame, numberOf(args, 0)),
  clamp_max: (frame, args) => clampMax(frame, numberOf(args, 0)),
  top: (frame, args) => rank(top, frame, args),
  bottom: (frame, args) => rank(bottom, frame, args),
} satisfies Record<string, Apply>;

export type FrameFunctionName = keyof typeof FUNCTIONS;

export const FRAME_FUNCTION_NAMES: readonly FrameFunctionName[] = Object.keys(FUNCTIONS).filter(isFrameFunction);

export function isFrameFunction(name: string): name is FrameFunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

/**
 * Applies a function by its name in queries. All its arguments are required, and the parser must have checked them: one
 * of a wrong type is a programmer's error. Names of series are wrapped, as in `abs(system.load.1)`, except for the
 * functions that follow a query with a dot (`as_rate`, `as_count`, `fill`).
 */
export function* applyFunction(name: string, frame: Frame, args: readonly FunctionArgument[] = []): Work<Frame> {
  if (!isFrameFunction(name)) {
    throw new TidemarkError('invalid_argument', `unknown function ${name}`, { field: 'function', name });
  }
  const apply: Apply = FUNCTIONS[name];
  const result = yield* apply(frame, args);
  if (name === 'as_rate' || name === 'as_count' || name === 'fill') return result;
  return { ...result, series: result.series.map((series) => ({ ...series, metric: `${name}(${series.metric})` })) };
}

function rank(
  by: (frame: Frame, limit: number, method: RankMethod, order: RankOrder) => Work<Frame>,
  frame: Frame,
  args: readonly FunctionArgument[],
): Work<Frame> {
  return by(
    frame,
    numberOf(args, 0),
    choice<RankMethod>(args, 1, RANK_METHODS),
    choice<RankOrder>(args, 2, RANK_ORDERS),
  );
}

function numberOf(args: readonly FunctionArgument[], index: number): number {
  const value = args[index];
  assert(typeof value === 'number', `argument ${index + 1} is a number`);
  return value;
}

function choice<T extends string>(args: readonly FunctionArgument[], index: number, choices: readonly T[]): T {
  const found = choices.find((one) => one === args[index]);
  assert(found !== undefined, `argument ${index + 1} is one of ${choices.join(', ')}`);
  return found;
}
