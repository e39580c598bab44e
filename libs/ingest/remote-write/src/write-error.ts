import { limitError, TidemarkError } from '@tidemark/ports';

/** A request that can't be read: nothing of it is taken. */
export function malformed(field: 'snappy' | 'protobuf', what: string): TidemarkError {
  const limit = field === 'snappy' ? "Snappy's block format" : "a WriteRequest of prometheus' remote write 1.0";
  return limitError(field, what, limit, `${field}_malformed`);
}

/** A request with more samples than one may have: nothing of it is taken. */
export function tooManySamples(limit: number): TidemarkError {
  const message = `requestPoints: more samples than one request may have (limit: ${limit} points)`;
  return new TidemarkError('invalid_argument', message, { reason: 'request_too_large', field: 'requestPoints', limit });
}
