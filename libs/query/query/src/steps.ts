import { type QueryLeaf, readStepsOf } from '@tidemark/query-language';

/** Whole steps, aligned to multiples of the step since the epoch. */
export interface AlignedSteps {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

/** Steps that are easy to read, s; longer steps are whole multiples of the last one. */
const LADDER_S = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400,
];
/** Maximum number of steps of a range when the query names no step. */
const DEFAULT_STEPS = 300;
/** An inferred interval differs from the real one by at most this share of it. */
const JITTER_SHARE = 0.05;

/** Returns the step for a range when the query names none: the shortest of the ladder that gives at most 300 steps. */
export function defaultStepMs(rangeMs: number): number {
  const found = LADDER_S.find((step) => step * 1000 * DEFAULT_STEPS >= rangeMs);
  if (found !== undefined) return found * 1000;
  const longestMs = LADDER_S[LADDER_S.length - 1] * 1000;
  return longestMs * Math.ceil(rangeMs / (longestMs * DEFAULT_STEPS));
}

/**
 * Returns the step for a range when the query names none and the reporting intervals of its metrics are known, ms: the
 * shortest of the ladder that is not below the default and is a multiple of each interval, so that every step has whole
 * intervals; otherwise a multiple of the longest. A range that is shorter than an interval has the default step.
 */
export function automaticStepMs(rangeMs: number, intervalsMs: readonly number[]): number {
  const shortestMs = defaultStepMs(rangeMs);
  const wanted = intervalsMs.filter((intervalMs) => intervalMs > 0).map(roundIntervalMs);
  const longestMs = Math.max(0, ...wanted);
  if (longestMs === 0 || longestMs > rangeMs) return shortestMs;
  const hasWhole = (stepMs: number) => wanted.every((intervalMs) => stepMs % intervalMs === 0);
  const found = LADDER_S.find((step) => step * 1000 >= shortestMs && hasWhole(step * 1000));
  return found === undefined ? longestMs * Math.ceil(shortestMs / longestMs) : found * 1000;
}

/** Returns a reporting interval without the jitter of an inferred one: a step of the ladder, or whole seconds, ms. */
export function roundIntervalMs(intervalMs: number): number {
  const step = LADDER_S.find((seconds) => Math.abs(intervalMs - seconds * 1000) <= seconds * 1000 * JITTER_SHARE);
  return step === undefined ? Math.ceil(intervalMs / 1000) * 1000 : step * 1000;
}

/**
 * Returns the steps that touch [fromMs, toMs). All of them are whole, also the first and the last, so that a step has
 * the same value in every range. A leaf without a rollup has the automatic step. With a second rollup they are those of
 * the first, in whole steps of the second.
 */
export function stepsOf(leaf: QueryLeaf, fromMs: number, toMs: number, automaticMs: number): AlignedSteps {
  const seconds = leaf.rollup?.seconds;
  const stepMs = seconds === undefined ? automaticMs : seconds * 1000;
  const wholeMs = stepMs * readStepsOf(leaf);
  const alignedFromMs = Math.floor(fromMs / wholeMs) * wholeMs;
  const alignedToMs = Math.ceil(toMs / wholeMs) * wholeMs;
  return {
    fromMs: alignedFromMs,
    toMs: alignedToMs,
    stepMs,
    steps: Math.round((alignedToMs - alignedFromMs) / stepMs),
  };
}
