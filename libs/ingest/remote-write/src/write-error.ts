import { limitError, TidemarkError } from '@tidemark/ports';

/** Builds the error of an unreadable request. No part of the request is accepted. */
export function malformed(field: 'snappy' | 'protobuf', what: string): TidemarkError {
  const limit = field === 'snappy' ? "Snappy's block format" : 'a WriteRequest of Prometheus remote write 1.0';
  return limitError(field, what, limit, `${field}_malformed`);
}

/** Builds the error of a request with too many samples. No part of the request is accepted. */
export function tooManySamples(limit: number): TidemarkError {
  const message = `requestPoints: too many samples in one request (limit: ${limit} points)`;
  return new TidemarkError('invalid_argument', message, { reason: 'request_too_large', field: 'requestPoints', limit });
}
