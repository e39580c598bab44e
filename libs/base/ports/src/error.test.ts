import { expect, test } from '@jest/globals';
import { messageOf } from './error.ts';

test('messageOf is the message of an error, or the text of another thrown value', () => {
  expect([messageOf(new Error('full')), messageOf('text'), messageOf(undefined)]).toEqual([
    'full',
    'text',
    'undefined',
  ]);
});
