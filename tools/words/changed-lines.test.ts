import { expect, test } from '@jest/globals';
import { addedLines } from './changed-lines.ts';

test('added lines are those of the new side, a hunk of one line too', () => {
  const diff = [
    'diff --git a/a.ts b/a.ts',
    '--- a/a.ts',
    '+++ b/a.ts',
    '@@ -1,2 +1,3 @@',
    '+x',
    '@@ -9 +10 @@ function f() {',
    '@@ -20,2 +20,0 @@',
    'diff --git a/b.ts b/b.ts',
    '--- /dev/null',
    '+++ b/b.ts',
    '@@ -0,0 +1 @@',
  ].join('\n');
  expect(addedLines(diff)).toEqual(
    new Map([
      ['a.ts', new Set([1, 2, 3, 10])],
      ['b.ts', new Set([1])],
    ]),
  );
});

test('no diff has no lines', () => {
  expect(addedLines('')).toEqual(new Map());
});
