import { expect, test } from '@jest/globals';
import { parseQuery } from '@tidemark/query-language';
import { FUNCTION_CHOICES } from './function-choices.ts';
import { parseRows, printRows, withFunction } from './query-rows.ts';

test.each(FUNCTION_CHOICES)('the language has $name, with these arguments', ({ name, args }) => {
  const parsed = parseRows('avg:web.load{*} by {host}');
  if (parsed === undefined) throw new Error('the fields cannot show a plain query');
  const text = printRows({ ...parsed, formula: withFunction(parsed, name, args) });
  expect(parseQuery(text).expressions).toEqual([expect.objectContaining({ type: 'call', name })]);
  expect(parseRows(text)?.rows).toEqual(parsed.rows);
});
