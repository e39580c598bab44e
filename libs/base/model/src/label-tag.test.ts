import { expect, test } from '@jest/globals';
import { labelTag } from './label-tag.ts';

test.each([
  ['1', '1'],
  ['1.0', '1'],
  ['1e0', '1'],
  ['+1', '1'],
  ['.50', '0.5'],
  ['1e+06', '1000000'],
  ['0.0', '0'],
  ['-0', '0'],
  ['+Inf', '+Inf'],
  ['Inf', '+Inf'],
  ['infinity', '+Inf'],
  ['-inf', '-Inf'],
  ['1e999', '1e999'],
  ['NaN', 'NaN'],
  ['0x10', '0x10'],
  ['', ''],
])('a bound of %p is spelled %p', (written, spelled) => {
  expect([labelTag('le', written), labelTag('quantile', written)]).toEqual([`le:${spelled}`, `quantile:${spelled}`]);
  expect(labelTag('version', written)).toBe(`version:${written}`);
});

test('names with a colon do not meet other names', () => {
  const tags = [
    labelTag('a', 'b:c'),
    labelTag('a:b', 'c'),
    labelTag('a%3Ab', 'c'),
    labelTag('a%253Ab', 'c'),
    labelTag('a', '%3Ab:c'),
  ];
  expect(new Set(tags).size).toBe(tags.length);
  expect(tags.slice(0, 3)).toEqual(['a:b:c', 'a%3Ab:c', 'a%253Ab:c']);
});
