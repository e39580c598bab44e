import { type FrameFunctionName, type FunctionArgument, RANK_METHODS, RANK_ORDERS } from '@tidemark/fold';

/** The functions around an expression; the others follow a query with a dot. */
export type FunctionName = Exclude<FrameFunctionName, 'as_rate' | 'as_count' | 'fill'>;

/** An argument after the expression. An argument with a `default` may be omitted, with all that follow it. */
export type Parameter = {
  readonly name: string;
  readonly default?: FunctionArgument;
} & (
  | { readonly type: 'number' }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
);

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
};

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

export const FUNCTION_NAMES: readonly FunctionName[] = Object.keys(FUNCTIONS).filter(isFunctionName);

/** What may follow a query with a dot. */
export const SUFFIX_NAMES = ['rollup', 'as_rate', 'as_count', 'fill'] as const;
export type SuffixName = (typeof SUFFIX_NAMES)[number];

/** Returns the nearest of `names` that is at most two edits away from `word`. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  if (word.length > LONGEST_SUGGESTED) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(MAX_EDITS, Math.ceil(word.length / 2)) + 1;
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name);
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
