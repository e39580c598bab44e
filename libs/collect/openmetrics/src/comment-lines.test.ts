import { expect, test } from '@jest/globals';
import { commentLine, commentLines, linesWith } from './comment-lines.ts';

test('a line is read once, however often it contains the word', () => {
  const body = `up 1\n${'HELP'.repeat(1000)}\n# HELP up HELP of ${'HELP '.repeat(1000)}HELP\nup 2\n# HELP up cut`;
  expect([...linesWith(body, 'HELP', false)].map((line) => line.slice(0, 9))).toEqual([
    'HELPHELPH',
    '# HELP up',
    '# HELP up',
  ]);
  expect([...linesWith(body, 'HELP', true)]).toHaveLength(2);
  expect([...commentLines(body, 'HELP', 10_000, true)]).toHaveLength(1);
  expect([...commentLines(body, 'HELP', 100, false)]).toEqual([{ name: 'up', text: 'cut' }]);
});

test('the text is all that follows the name, also a line separator of other alphabets', () => {
  expect(commentLine('# HELP up \t one\u2028two\rthree', 'HELP')).toEqual({ name: 'up', text: 'one\u2028two\rthree' });
});
