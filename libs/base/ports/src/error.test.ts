import { expect, test } from '@jest/globals';
import { asTidemarkError, messageOf, TidemarkError } from './error.ts';

test('messageOf is the message of an error, or the text of another thrown value', () => {
  expect([messageOf(new Error('full')), messageOf('text'), messageOf(undefined)]).toEqual([
    'full',
    'text',
    'undefined',
  ]);
});

test('asTidemarkError keeps an error of the platform, and makes an internal one of another', () => {
  const full = new TidemarkError('resource_exhausted', 'full');
  expect(asTidemarkError(full)).toBe(full);
  const cause = new Error('a bug');
  expect(asTidemarkError(cause)).toMatchObject({ code: 'internal', message: 'a bug', cause });
});
