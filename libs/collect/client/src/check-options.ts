import { TidemarkError } from '@tidemark/ports';
import type { ClientOptions } from './options.ts';

const MAX_NAME_BYTES = 200;

/** Throws `invalid_argument` for the first option that breaks its limit; the error's detail has `field` and `limit`. */
export function checkOptions(options: ClientOptions, addresses: readonly string[]): void {
  const refuse = (field: string, limit: string): TidemarkError =>
    new TidemarkError('invalid_argument', `client option ${field} must be ${limit}`, { field, limit });
  if (Buffer.byteLength(options.name) > MAX_NAME_BYTES || options.name === '') {
    throw refuse('name', `1 to ${MAX_NAME_BYTES} bytes`);
  }
  if (addresses.length === 0) throw refuse('addresses', 'at least one');
  for (const [field, value] of Object.entries(options)) {
    if (typeof value === 'number' && !(Number.isFinite(value) && value >= 0)) throw refuse(field, 'finite, 0 or more');
  }
  for (const field of [
    'maxBatchBytes',
    'memoryBytes',
    'maxSeries',
    'spoolBytes',
    'spoolFileBytes',
    'replayStreams',
  ] as const) {
    if (options[field] < 1) throw refuse(field, 'at least 1');
  }
}
