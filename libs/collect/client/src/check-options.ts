import { DAY_MS } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { describe, describeThrown } from './check-arguments.ts';
import { type ClientOptions, DEFAULT_CLIENT_OPTIONS } from './options.ts';

const MAX_NAME_BYTES = 200;
const CALLBACKS = ['onRejection', 'onWarning'] as const;
const OPTIONAL_NUMBERS = ['flushIntervalMs', 'handFlushIntervalMs'] as const;
const POSITIVE = [
  'maxBatchBytes',
  'memoryBytes',
  'maxSeries',
  'spoolBytes',
  'spoolFileBytes',
  'replayStreams',
] as const;

/**
 * Returns the options with their defaults. Throws `invalid_argument` for the first one that breaks its limit; the error's
 * detail has `field` and `limit`.
 */
export function checkedOptions(
  options: Partial<ClientOptions> & { readonly name: string },
  addresses: readonly string[],
): ClientOptions {
  // An option that is undefined is left out, as programs pass on what they don't know.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all: ClientOptions = { ...DEFAULT_CLIENT_OPTIONS, name: options.name, ...given };
  checkOptions(all, addresses);
  return all;
}

/** Throws `invalid_argument` for the first option that breaks its limit; the error's detail has `field` and `limit`. */
export function checkOptions(options: ClientOptions, addresses: readonly string[]): void {
  const { name, flushIntervalMs = 0 } = options;
  if (typeof name !== 'string' || Buffer.byteLength(name) > MAX_NAME_BYTES || name === '') {
    throw refuse('name', `1 to ${MAX_NAME_BYTES} bytes`, name);
  }
  checkAddresses(addresses);
  for (const field of [...numberOptions(), ...OPTIONAL_NUMBERS]) {
    const value: unknown = options[field];
    if (value === undefined && !(field in DEFAULT_CLIENT_OPTIONS)) continue;
    if (!Number.isFinite(value) || Number(value) < 0) throw refuse(field, 'a finite number, at least 0', value);
  }
  for (const field of POSITIVE) if (options[field] < 1) throw refuse(field, 'at least 1', options[field]);
  if (flushIntervalMs !== 0 && (flushIntervalMs < 1 || flushIntervalMs > DAY_MS)) {
    throw refuse('flushIntervalMs', `0, or 1 to ${DAY_MS}`, flushIntervalMs);
  }
  for (const field of CALLBACKS) {
    const value: unknown = options[field];
    if (value !== undefined && typeof value !== 'function') throw refuse(field, 'a function', value);
  }
}

function checkAddresses(addresses: unknown): void {
  if (!Array.isArray(addresses) || addresses.length === 0) throw refuse('addresses', 'at least one', addresses);
  for (const address of addresses) {
    const isText = typeof address === 'string' && address.trim() !== '';
    if (!isText) throw refuse('addresses', 'host:port, of an intake', address);
  }
}

/** Reads each option once, getters included. Throws `invalid_argument` when one cannot be read. */
export function readOptions<T extends object>(options: T): T {
  if (typeof options !== 'object' || options === null) throw refuse('options', 'an object', options);
  try {
    return { ...options };
  } catch (error) {
    const limit = 'an object that can be read';
    const detail = { field: 'options', limit };
    throw new TidemarkError('invalid_argument', `client options: ${describeThrown(error)} (limit: ${limit})`, detail);
  }
}

/** The error of an option: `invalid_argument` with the field and the limit. */
export function refuse(field: string, limit: string, found: unknown): TidemarkError {
  const message = `client option ${field} must be ${limit}; found ${describe(found)}`;
  return new TidemarkError('invalid_argument', message, { field, limit });
}

function numberOptions(): (keyof typeof DEFAULT_CLIENT_OPTIONS)[] {
  return Object.keys(DEFAULT_CLIENT_OPTIONS) as (keyof typeof DEFAULT_CLIENT_OPTIONS)[];
}
