import { INTERVAL_LIMIT_MS, KIND, kindName, type MetricChange } from '@tidemark/model';
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

/** Throws `invalid_argument` for a field of a user's statement that is beyond its limit. */
export function checkChange(change: MetricChange): void {
  const { kind, intervalMs } = change;
  if (kind === KIND.distribution || kind === KIND.reading) {
    throw limitError('kind', kindName(kind), 'gauge, counter, count or rate');
  }
  if (intervalMs !== undefined && intervalMs !== null && !(intervalMs > 0 && intervalMs <= INTERVAL_LIMIT_MS)) {
    throw limitError('interval_ms', `${intervalMs}`, `1 to ${INTERVAL_LIMIT_MS} ms`);
  }
  for (const field of ['unit', 'description'] as const) {
    const text = change[field] ?? '';
    const limit = STATEMENT_LIMITS[field];
    if (text.length > limit) throw limitError(field, `${text.length} characters`, `${limit} characters`);
    if (!text.isWellFormed()) throw limitError(field, 'not valid UTF-8', 'valid UTF-8');
  }
}
