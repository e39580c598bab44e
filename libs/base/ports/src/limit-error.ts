import { type ErrorDetail, TidemarkError } from './error.ts';

/**
 * The error for bad input: `invalid_argument` with the message `field: found (limit: …)`, and field and limit in its
 * detail.
 */
export function limitError(field: string, found: string, limit: string | number, reason?: string): TidemarkError {
  const detail: ErrorDetail = reason === undefined ? { field, limit } : { reason, field, limit };
  return new TidemarkError('invalid_argument', `${field}: ${found} (limit: ${limit})`, detail);
}
