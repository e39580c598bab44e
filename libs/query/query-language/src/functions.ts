import type { FrameFunctionName, RangeFunctionName } from '@tidemark/fold';
import { RANK_METHODS, RANK_ORDERS } from '@tidemark/fold/words';
import type { Parameter } from './parameter.ts';
import { RANGE_FUNCTION_PARAMETERS } from './range-function-parameters.ts';
import { SHIFT_FUNCTIONS, type ShiftFunctionName } from './shift-functions.ts';

/** The functions that stand around an expression; the others follow a query with a dot. */
export type FunctionName =
  | Exclude<FrameFunctionName, 'as_rate' | 'as_count' | 'fill'>
  | RangeFunctionName
  | ShiftFunctionName;

export type { Parameter } from './parameter.ts';

const MOST_RANKED = 10_000;

const HOW_MANY: Parameter = { name: 'how many series', type: 'integer', min: 1, max: MOST_RANKED };
const METHOD: Parameter = { name: 'method', type: 'choice', choices: RANK_METHODS, default: 'mean' };
const LIMIT: Parameter = { name: 'limit', type: 'number' };

/** Arguments of each function after the expression; every function of `@tidemark/fold` must have its line here. */
export const FUNCTIONS: Readonly<Record<FunctionName, readonly Parameter[]>> = {
  abs: [],
  log2: [],
  log10: [],
  per_second: [],
  per_minute: [],
  per_hour: [],
  diff: [],
  derivative: [],
  dt: [],
  cumsum: [],
  integral: [],
  default_zero: [],
  clamp_min: [LIMIT],
  clamp_max: [LIMIT],
  top: [HOW_MANY, METHOD, { name: 'order', type: 'choice', choices: RANK_ORDERS, default: 'desc' }],
  bottom: [HOW_MANY, METHOD, { name: 'order', type: 'choice', choices: RANK_ORDERS, default: 'asc' }],
  ...RANGE_FUNCTION_PARAMETERS,
  ...SHIFT_FUNCTIONS,
};

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

export const FUNCTION_NAMES: readonly FunctionName[] = Object.keys(FUNCTIONS).filter(isFunctionName);

/** What may follow a query with a dot. */
export const SUFFIX_NAMES = ['rollup', 'as_rate', 'as_count', 'fill', 'weighted'] as const;
export type SuffixName = (typeof SUFFIX_NAMES)[number];

/** One of `names` at most two edits away from `word`, the nearest first in the list; none for longer words. */
export function nearest(word: string, names: readonly string[], maxLength = LONGEST_SUGGESTED): string | undefined {
  if (word.length > maxLength) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(MAX_EDITS, Math.ceil(word.length / 2)) + 1;
  for (const name of names) {
    if (Math.abs(name.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

const MAX_EDITS = 2;
const LONGEST_SUGGESTED = 40;

/** Computes Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const substitution = row[k - 1] + (a[i - 1] === b[k - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[k] + 1, next[k - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
