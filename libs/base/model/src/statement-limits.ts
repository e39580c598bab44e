import type { MetricChange } from './metric-meaning.ts';

/** Max characters of what is stated of a metric. */
export const STATEMENT_LIMITS = { unit: 100, description: 1000 } as const;

/** Cuts texts at their limits, as a sender's help text is of use also in part. */
export function cutTexts({ unit, description, ...change }: MetricChange): MetricChange {
  return {
    ...change,
    unit: unit?.slice(0, STATEMENT_LIMITS.unit).toWellFormed() ?? unit,
    description: description?.slice(0, STATEMENT_LIMITS.description).toWellFormed() ?? description,
  };
}
