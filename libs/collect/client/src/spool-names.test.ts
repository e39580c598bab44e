import { expect, test } from '@jest/globals';
import { FILE_KIND } from './spool-format.ts';
import { fileName, fileOfName, indexPath, sessionsOf } from './spool-names.ts';

const [ONE, OTHER] = ['0123456789abcdef'.repeat(2), 'f'.repeat(32)];

test('the name of a data file says its number and kind', () => {
  for (const kind of [FILE_KIND.definitions, FILE_KIND.waiting, FILE_KIND.stamped]) {
    expect(fileOfName(fileName(17, kind))).toEqual({ number: 17, kind });
  }
  expect(fileName(3, FILE_KIND.stamped)).toBe('00000003.stamped');
});

test.each(['3.stamped', '00000003.other', '00000003.index', 'x00000003.stamped', '00000003.stamped.tmp', ''])(
  '%p is not the name of a data file',
  (name) => {
    expect(fileOfName(name)).toBeUndefined();
  },
);

test('each client session has its indexes in their order, also when its folder is gone', () => {
  const [first, second] = [1, 2].map((generation) => indexPath(ONE, generation));
  const names = [second, first].map((path) => path.slice('spool/'.length));
  expect(sessionsOf([...names, OTHER, 'lost+found', `${ONE}.1.index`, ONE.toUpperCase()])).toEqual([
    {
      session: ONE,
      indexes: [
        { path: first, generation: 1 },
        { path: second, generation: 2 },
      ],
    },
    { session: OTHER, indexes: [] },
  ]);
});
