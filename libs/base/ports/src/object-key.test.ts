import { expect, test } from '@jest/globals';
import { checkObjectKey, checkObjectPrefix, isObjectKey, OBJECT_KEY_CHARACTERS } from './object-key.ts';

test('keys have a dot in the last part only, so that no key is the folder of another', () => {
  const part = 'a'.repeat(128);
  const longest = `${`${part}/`.repeat(3)}${'a'.repeat(123)}.b`;
  expect(longest.length).toBe(OBJECT_KEY_CHARACTERS);
  for (const key of ['a.b', '_x/0-1/manifest.json', 'a/b.tar.gz', longest])
    expect([key, isObjectKey(key)]).toEqual([key, true]);
  const bad = [
    '',
    'a',
    'a/b',
    'a.b/c.d',
    '/a.b',
    'a//b.c',
    'a.b/',
    '../a.b',
    'a/..',
    '.a',
    'a.',
    'a..b',
    '-a.b',
    'A.b',
    'ä.b',
  ];
  const long = [`a${longest}`, `a${part}.b`, `a${part}/b.c`];
  for (const key of [...bad, 'a b.c', 'a\\b.c', 'a\0.b', 'a.b\n', 'con:.a', ...long]) {
    expect([key, isObjectKey(key)]).toEqual([key, false]);
    expect(() => checkObjectKey(key)).toThrow('object key: ');
  }
});

test('a prefix is the beginning of a key', () => {
  for (const prefix of ['', 'a', 'a/', 'a/b', 'a/b.', 'a/b.c', 'a/-']) checkObjectPrefix(prefix);
  for (const prefix of ['/', '//', 'a//', '../', 'a/../b', 'a.b/c', 'A', 'a*']) {
    expect(() => checkObjectPrefix(prefix)).toThrow('(limit: the beginning of a key)');
  }
});
