import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ranked } from './fuzzy.ts';

const METRICS = ['recpu', 'system.cpu.user', 'my_cpu_load', 'system.load.1', 'cpu.total', 'copper.up', 'cpu'];

function found(search: string, texts: readonly string[] = METRICS): readonly string[] {
  return ranked(search, texts, (text) => text, 100).map(({ item }) => item);
}

test('equal, then the beginning, then words, then within, then the characters in order', () => {
  expect(found('cpu')).toEqual(['cpu', 'cpu.total', 'my_cpu_load', 'system.cpu.user', 'recpu', 'copper.up']);
});

test.each([
  ['scu', 'system.cpu.user'],
  ['syslod', 'system.load.1'],
  ['user system', 'system.cpu.user'],
  ['LOAD.1', 'system.load.1'],
])('%s finds %s', (search, metric) => expect(found(search)[0]).toBe(metric));

test('nothing has characters that it lacks, or in another order', () => {
  expect(found('upc', ['cpu'])).toEqual([]);
  expect(found('cpuz')).toEqual([]);
});

test('the marks spell the search', () => {
  const [{ marks }] = ranked('scu', ['system.cpu.user'], (text) => text, 1);
  expect(marks).toEqual([0, 7, 11]);
  expect(ranked('', METRICS, (text) => text, 2)).toEqual([
    { item: 'recpu', marks: [] },
    { item: 'system.cpu.user', marks: [] },
  ]);
});

test('a name is found by any of its characters in order, and marked with them', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_.]{1,30}$/);
  fc.assert(
    fc.property(name, fc.array(fc.boolean(), { minLength: 31, maxLength: 31 }), (text, picks) => {
      const search = [...text].filter((_, i) => picks[i]).join('');
      const [one] = ranked(search, [text], (item) => item, 1);
      expect(one?.item).toBe(text);
      if (search !== '') expect(one.marks.map((at) => text[at]).join('')).toBe(search);
    }),
  );
});
