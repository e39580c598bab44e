import type { QueryReply } from '@tidemark/contract';
import type { RankMethod, RankOrder } from '@tidemark/fold';
import type { ValueUnit } from '@tidemark/query-language';

/** A query with the name that formulas have for it. */
export interface NamedQuery {
  readonly name: string;
  /** One expression of the query language. */
  readonly query: string;
  /** How the steps of the range become one value before formulas are applied; absent for series. */
  readonly reduction?: RankMethod;
}

export interface Formula {
  readonly formula: string;
  /** Only the first `count` series of the result, `desc` with the highest first; by their means where they have steps. */
  readonly limit?: { readonly count: number; readonly order: RankOrder };
}

/** Queries, and formulas over them. */
export interface FormulaRequest {
  readonly queries: readonly NamedQuery[];
  /** One for each result; without any each query is a result. */
  readonly formulas: readonly Formula[];
  readonly fromMs: number;
  readonly toMs: number;
  /** The length of steps of metrics without a rollup of their own, ms. A longer one is taken beyond the limit of steps. */
  readonly intervalMs?: number;
}

export interface FormulaSeries {
  /** As in `FrameSeries`. */
  readonly tags: readonly string[];
  /** One for each step, NaN for none. */
  readonly values: Float64Array;
}

/** The finished series of one formula, in the order of its limit, else by tags. */
export interface FormulaResult {
  /** The formula as an expression of the query language. */
  readonly expression: string;
  /** Starts of all steps, ms. */
  readonly startsMs: readonly number[];
  /** The length of a step, ms; of calendar steps that of the longest, of a reduction that of the range. */
  readonly stepMs: number;
  /** Steps from the first on that are complete. A reduction is complete when all steps that it combines are. */
  readonly completeSteps: number;
  /** Undefined where none follows from what is stated. */
  readonly unit: ValueUnit | undefined;
  readonly series: readonly FormulaSeries[];
}

/** An answer without the fields of `QueryReply` that name its series. */
export interface FormulaAnswer extends Omit<QueryReply, 'series'> {
  /** In the order of the formulas. */
  readonly results: readonly FormulaResult[];
  /** The whole steps that the answer has values of, ms: they may begin before the range and end after it. */
  readonly coveredFromMs: number;
  readonly coveredToMs: number;
}
