import { assert, TidemarkError } from './error.ts';
import { limitError } from './limit-error.ts';
import {
  type ObjectRange,
  PAGE_KEYS,
  type PutOptions,
  type PutStreamOptions,
  WHOLE_OBJECT_BYTES,
} from './object-store.ts';

/** Throws `invalid_argument` for an object that is too large to be whole in memory; `instead` is what to do. */
export function checkWholeObject(key: string, sizeBytes: number, instead: string): void {
  if (sizeBytes <= WHOLE_OBJECT_BYTES) return;
  throw limitError(`object ${key}`, `${sizeBytes} bytes`, `${WHOLE_OBJECT_BYTES}; ${instead}`);
}

/** Throws `invalid_argument` for a range that is empty, not of whole bytes, or too large. */
export function checkObjectRange(key: string, { offset, length }: ObjectRange): void {
  const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(offset + length) && Number.isSafeInteger(length);
  if (isWhole && offset >= 0 && length >= 1 && length <= WHOLE_OBJECT_BYTES) return;
  const limit = `from 0, with a length of 1 to ${WHOLE_OBJECT_BYTES}`;
  throw limitError(`range of object ${key}`, `${length} bytes at ${offset}`, limit);
}

/** Throws `invalid_argument` for a limit of a page of a list that is out of its range. */
export function checkPageLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE_KEYS) return;
  throw limitError('limit of a list', String(limit), `1 to ${PAGE_KEYS}`);
}

/** Asserts that a put has at most one condition. */
export function assertOneCondition({ ifAbsent = false, ifVersion }: PutOptions): void {
  assert(!ifAbsent || ifVersion === undefined, 'set ifAbsent or ifVersion, not both');
}

/** The `out_of_range` error for a range that ends behind an object of `sizeBytes`. */
export function pastObjectEnd(key: string, { offset, length }: ObjectRange, sizeBytes: number): TidemarkError {
  const message = `range of object ${key}: ${length} bytes at ${offset} (limit: its ${sizeBytes} bytes)`;
  return new TidemarkError('out_of_range', message, { key, sizeBytes });
}

/** Throws `invalid_argument` for a stream with another CRC-32C than the caller stated. */
export function checkStatedCrc32c(key: string, crc32c: number, { crc32c: stated }: PutStreamOptions): void {
  if (stated === undefined || stated === crc32c) return;
  throw limitError(`CRC-32C of object ${key}`, String(crc32c), `${stated}, which the caller stated`);
}
