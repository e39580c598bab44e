import type {
  Calendar,
  FillMode,
  FunctionArgument,
  Operator,
  RankMethod,
  RefoldMethod,
  Regrouping,
} from '@tidemark/fold';
import type { FunctionName } from './functions.ts';

/** A whole query: one or more expressions, separated by commas. */
export interface Query {
  readonly expressions: readonly Expression[];
}

export type Expression = QueryLeaf | Constant | Negation | Binary | Call | Regroup | Reduction;

/**
 * The part of a query that the stores answer: one metric, filtered, folded over time and space. `avg:metric{filter} by
 * {keys}`.
 */
export interface QueryLeaf {
  readonly type: 'query';
  readonly aggregator: Aggregator;
  readonly metric: string;
  readonly filter: TagFilter;
  /** Tag keys, distinct, as written. */
  readonly groupBy: readonly string[];
  readonly rollup?: Rollup;
  /** The finished series folded over time once more, into steps that are a multiple of `rollup.seconds`. */
  readonly rollupAgain?: RollupAgain;
  readonly as?: 'rate' | 'count';
  readonly fill?: Fill;
  /** Seconds between two values of a series: each value counts for so much of its step. */
  readonly weighted?: number;
}

export const SPACE_AGGREGATORS = ['avg', 'sum', 'min', 'max', 'count', 'last'] as const;
export type SpaceAggregator = (typeof SPACE_AGGREGATORS)[number];

/** The fold of several series into one. A percentile is between 0 and 100, and only of distributions. */
export type Aggregator =
  | { readonly type: 'space'; readonly name: SpaceAggregator }
  | { readonly type: 'percentile'; readonly percentile: number };

export const ROLLUP_METHODS = ['avg', 'sum', 'min', 'max', 'count', 'last', 'points'] as const;
export type RollupMethod = (typeof ROLLUP_METHODS)[number];

/** At least one is given, and at most one of `seconds` and `calendar`. */
export interface Rollup {
  readonly method?: RollupMethod;
  readonly seconds?: number;
  readonly calendar?: Calendar;
}

export interface RollupAgain {
  readonly method: RefoldMethod;
  readonly seconds: number;
}

export interface Fill {
  readonly mode: FillMode;
  readonly limitSeconds: number;
}

/** A number, zero or greater; negative numbers are a negation. */
export interface Constant {
  readonly type: 'constant';
  readonly value: number;
}

export interface Negation {
  readonly type: 'negate';
  readonly operand: Expression;
}

export interface Binary {
  readonly type: 'binary';
  readonly operator: Operator;
  readonly left: Expression;
  readonly right: Expression;
}

/** A function around an expression, with all its arguments, defaults filled in. */
export interface Call {
  readonly type: 'call';
  readonly name: FunctionName;
  readonly operand: Expression;
  readonly args: readonly FunctionArgument[];
}

/** Finished series folded over space once more: `max(avg:metric{*} by {env,host}) by {env}`. */
export interface Regroup {
  readonly type: 'regroup';
  readonly how: Regrouping;
  readonly operand: Expression;
  /** Tag keys, distinct, as written; none folds all series into one. */
  readonly groupBy: readonly string[];
}

/** One value for each series, of its steps in [fromMs, toMs). It has no syntax: APIs put it around the queries of formulas. */
export interface Reduction {
  readonly type: 'reduce';
  readonly method: RankMethod;
  readonly fromMs: number;
  readonly toMs: number;
  readonly operand: Expression;
}

/** A boolean expression over the tags of a series; one variant for each of the contract's TagFilter. */
export type TagFilter =
  | { readonly type: 'all' }
  /** `key:value`, or a bare word. */
  | { readonly type: 'tag'; readonly tag: string }
  /** `*` in `pattern` stands for any run of characters; the value's only wildcard, and there is no way to escape it. */
  | { readonly type: 'pattern'; readonly key: string; readonly pattern: string }
  | { readonly type: 'in'; readonly key: string; readonly values: readonly string[] }
  | { readonly type: 'not'; readonly filter: TagFilter }
  /** Two or more, none of them an `and` itself. */
  | { readonly type: 'and'; readonly filters: readonly TagFilter[] }
  /** Two or more, none of them an `or` itself. */
  | { readonly type: 'or'; readonly filters: readonly TagFilter[] };
