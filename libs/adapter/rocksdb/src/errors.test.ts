import { expect, test } from '@jest/globals';
import { rocksDbError } from './errors.ts';

test('an error of a full disk has the name by which a program that cannot start gives advice', () => {
  const text = 'While appending to file: /d/000000.dbtmp: No space left on device';
  expect(rocksDbError(new Error(text), 'open', '/d')).toMatchObject({
    code: 'resource_exhausted',
    detail: { path: '/d', errno: 'ENOSPC' },
  });
  expect(rocksDbError(new Error('Corruption: bad block'), 'open', '/d').detail).not.toHaveProperty('errno');
});
