import { expect, test } from '@jest/globals';
import { printable } from './printable.ts';

test('characters that would be invisible or reorder the text are escaped, and all others stay', () => {
  expect(printable('a\nb\tc\u0007\u202e\u2028')).toBe('a\\nb\\tc\\u0007\\u202e\\u2028');
  expect(printable('\ud800')).toBe('\\ud800');
  expect(printable('path:/a b/ü/日本/😀 <b>&\\')).toBe('path:/a b/ü/日本/😀 <b>&\\');
});
