import { expect, test } from '@jest/globals';
import { secretCheck } from './secret-check.ts';

test('only the whole secret is accepted', () => {
  const isSecret = secretCheck('the key of a cluster');
  expect(isSecret('the key of a cluster')).toBe(true);
  for (const other of ['', 'the key', 'the key of a cluster ', 'The key of a cluster']) {
    expect(isSecret(other)).toBe(false);
  }
});
