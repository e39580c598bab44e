import { expect, test } from '@jest/globals';
import { exceeded, folderOf, lowered } from './allowed-counts.ts';

test.each([
  ['libs/base/model/src/day.ts', 'libs/base/model'],
  ['apps/tidemark/src/main.ts', 'apps/tidemark'],
  ['docs/concepts.md', 'docs'],
  ['docs/formats/log.md', 'docs/formats'],
  ['docs/decisions/reproductions/a.mjs', 'docs/decisions'],
  ['e2e/simulation/main.ts', 'e2e'],
  ['proto/tidemark/v1/query.proto', 'proto'],
  ['README.md', '.'],
])('%s belongs to %s', (path, folder) => {
  expect(folderOf(path)).toBe(folder);
});

test('a count above its limit is exceeded, and a folder that is not listed has the limit 0', () => {
  const counts = { a: { message: 2, comment: 1 }, b: { docs: 1 } };
  expect(exceeded(counts, { a: { message: 1, comment: 1 } })).toEqual([
    { folder: 'a', kind: 'message', count: 2, limit: 1 },
    { folder: 'b', kind: 'docs', count: 1, limit: 0 },
  ]);
});

test('an update lowers counts, raises none, and drops what reached zero', () => {
  const allowed = { a: { message: 3, comment: 1 }, b: { docs: 1 }, c: { test: 2 } };
  const counts = { a: { message: 2, comment: 5 }, c: { test: 2 }, d: { name: 1 } };
  expect(lowered(counts, allowed)).toEqual({ a: { message: 2, comment: 1 }, c: { test: 2 } });
});
