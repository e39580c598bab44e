import type { QueryLeaf } from '@tidemark/query-language';

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

/** Returns the step for a range when the query names none: the shortest of the ladder that gives at most 300 steps. */
export function defaultStepMs(rangeMs: number): number {
  const found = LADDER_S.find((step) => step * 1000 * DEFAULT_STEPS >= rangeMs);
  if (found !== undefined) return found * 1000;
  const longestMs = LADDER_S[LADDER_S.length - 1] * 1000;
  return longestMs * Math.ceil(rangeMs / (longestMs * DEFAULT_STEPS));
}

/**
 * Returns the steps that touch [fromMs, toMs). All of them are whole, also the first and the last, so that a step has
 * the same value in every range.
 */
export function stepsOf(leaf: QueryLeaf, fromMs: number, toMs: number): AlignedSteps {
  const seconds = leaf.rollup?.seconds;
  const stepMs = seconds === undefined ? defaultStepMs(toMs - fromMs) : seconds * 1000;
  const alignedFromMs = Math.floor(fromMs / stepMs) * stepMs;
  const alignedToMs = Math.ceil(toMs / stepMs) * stepMs;
  return {
    fromMs: alignedFromMs,
    toMs: alignedToMs,
    stepMs,
    steps: Math.round((alignedToMs - alignedFromMs) / stepMs),
  };
}
