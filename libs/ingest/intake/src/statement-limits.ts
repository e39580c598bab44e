import type { MetricChange } from '@tidemark/model';
import { limitError } from '@tidemark/ports';

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

/** Throws `invalid_argument` for a text of a user beyond its limit. */
export function checkTexts(change: MetricChange): void {
  for (const field of ['unit', 'description'] as const) {
    const text = change[field] ?? '';
    const limit = STATEMENT_LIMITS[field];
    if (text.length > limit) throw limitError(field, `${text.length} characters`, `${limit} characters`);
    if (!text.isWellFormed()) throw limitError(field, 'not valid UTF-8', 'valid UTF-8');
  }
}
