import { type ErrorCode, isTidemarkError } from '@tidemark/ports';

const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'invalid_argument',
  'out_of_range',
  'resource_exhausted',
  'unimplemented',
]);

/**
 * True for an error about the request itself: every part and replica gets the same request, so none would answer it.
 */
export function isRefusal(error: unknown): boolean {
  return isTidemarkError(error) && REFUSALS.has(error.code);
}
