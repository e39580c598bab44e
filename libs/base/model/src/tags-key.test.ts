import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tagsKey } from './tags-key.ts';

test('keys of different tags differ, with any characters in the tags', () => {
  const tag = fc.string({
    unit: fc.constantFrom('a', '\0', '\u0001', '\u0002', '\n', ':'),
    minLength: 1,
    maxLength: 4,
  });
  const tags = fc.array(tag, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(tags, tags, (a, b) => {
      expect(tagsKey(a) === tagsKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 1000 },
  );
});

test('keys are ordered as the tags are', () => {
  expect(['a:1', 'b'] < ['a:1-2'] && tagsKey(['a:1', 'b']) < tagsKey(['a:1-2'])).toBe(true);
  expect(tagsKey(['a:1', 'b'])).toBe('a:1\0b');
});
