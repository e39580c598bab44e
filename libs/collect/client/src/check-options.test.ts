import { expect, test } from '@jest/globals';
import { checkOptions } from './check-options.ts';
import { type ClientOptions, DEFAULT_CLIENT_OPTIONS } from './options.ts';

const GOOD: ClientOptions = { ...DEFAULT_CLIENT_OPTIONS, name: 'test' };

function fieldOf(options: Partial<ClientOptions>, addresses: readonly string[] = ['127.0.0.1:1']): unknown {
  try {
    checkOptions({ ...GOOD, ...options }, addresses);
  } catch (error) {
    return (error as { detail: { field: string } }).detail.field;
  }
  return undefined;
}

test('options within their limits pass', () => {
  expect(fieldOf({})).toBeUndefined();
  expect(fieldOf({ flushIntervalMs: 0, frontierLagMs: 0, name: 'é'.repeat(100) })).toBeUndefined();
});

test('an option beyond its limit is refused by name', () => {
  expect(fieldOf({ name: '' })).toBe('name');
  expect(fieldOf({ name: 'é'.repeat(101) })).toBe('name');
  expect(fieldOf({}, [])).toBe('addresses');
  expect(fieldOf({ giveUpMs: -1 })).toBe('giveUpMs');
  expect(fieldOf({ backoffMs: Number.NaN })).toBe('backoffMs');
  expect(fieldOf({ maxBatchBytes: 0 })).toBe('maxBatchBytes');
  expect(fieldOf({ replayStreams: 0.5 })).toBe('replayStreams');
});
