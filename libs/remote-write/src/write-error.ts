import { TidemarkError } from '@tidemark/ports';

/** A request that can't be read: nothing of it is taken. */
export function malformed(field: 'snappy' | 'protobuf', what: string): TidemarkError {
  const limit = field === 'snappy' ? "Snappy's block format" : "a WriteRequest of prometheus' remote write 1.0";
  return new TidemarkError('invalid_argument', `${field}: ${what} (limit: ${limit})`, {
    reason: `${field}_malformed`,
    field,
    limit,
  });
}
