import { INTERVAL_LIMIT_MS, KIND, kindName, type MetricChange, STATEMENT_LIMITS } from '@tidemark/model';
import { limitError } from '@tidemark/ports';

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
