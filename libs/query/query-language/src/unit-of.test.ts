import { expect, test } from '@jest/globals';
import { KIND } from '@tidemark/model';
import { FUNCTION_NAMES, FUNCTIONS, parseQuery, unitOf } from './index.ts';

const MEANINGS = {
  load: { unit: undefined, kinds: [KIND.gauge] },
  mem: { unit: 'byte', kinds: [KIND.gauge] },
  sent: { unit: 'byte', kinds: [KIND.count] },
  both: { unit: 'byte', kinds: [KIND.gauge, KIND.count] },
  time: { unit: 'second', kinds: [KIND.distribution] },
};

function unit(text: string): string {
  const [expression] = parseQuery(text).expressions;
  const found = unitOf(expression, ({ metric }) => MEANINGS[metric as keyof typeof MEANINGS]);
  return found === undefined ? 'none' : `${found.name}${found.per === '' ? '' : `/${found.per}`}`;
}

test.each([
  ['avg:mem{*}', 'byte'],
  ['avg:load{*}', 'none'],
  ['p99:time{*}', 'second'],
  ['count:time{*}', 'none'],
  ['avg:mem{*}.rollup(count, 60)', 'none'],
  ['avg:mem{*}.rollup(max, 60).rollup(count, 600)', 'none'],
  ['sum:sent{*}.as_count()', 'byte'],
  ['sum:sent{*}.as_rate()', 'byte/second'],
  ['sum:mem{*}.as_rate()', 'byte'],
  ['sum:both{*}.as_rate()', 'none'],
  ['-avg:mem{*}', 'byte'],
  ['avg:mem{*} + sum:sent{*}', 'byte'],
  ['avg:mem{*} - sum:sent{*}.as_rate()', 'none'],
  ['avg:mem{*} + avg:load{*}', 'none'],
  ['1 - avg:mem{*}', 'byte'],
  ['avg:mem{*} * 8', 'byte'],
  ['8 * avg:mem{*}', 'byte'],
  ['avg:mem{*} * avg:mem{*}', 'none'],
  ['avg:mem{*} / 1024', 'byte'],
  ['1 / avg:mem{*}', 'none'],
  ['avg:mem{*} / avg:mem{*}', 'none'],
  ['derivative(avg:mem{*})', 'byte/second'],
  ['per_minute(avg:mem{*})', 'byte/minute'],
  ['per_hour(sum:sent{*}.as_rate())', 'none'],
  ['integral(sum:sent{*}.as_rate())', 'byte'],
  ['integral(avg:mem{*})', 'none'],
  ['dt(avg:load{*})', 'second'],
  ["moving_rollup(avg:mem{*}, 60, 'count')", 'none'],
  ["moving_rollup(avg:mem{*}, 60, 'max')", 'byte'],
  ["top(week_before(avg:mem{*} by {host}), 5, 'mean', 'desc')", 'byte'],
  ['count_nonzero(avg:mem{*} by {host})', 'none'],
  ['max(avg:mem{*} by {host,env}) by {env}', 'byte'],
  ['count(avg:mem{*} by {host,env}) by {env}', 'none'],
])('%s is in %s', (text, expected) => {
  expect(unit(text)).toBe(expected);
});

test('all other functions without arguments keep the unit', () => {
  const plain = FUNCTION_NAMES.filter((name) => FUNCTIONS[name].length === 0);
  const changing = plain.filter((name) => unit(`${name}(avg:mem{*})`) !== 'byte');
  expect(changing.sort()).toEqual(
    [
      ...['count_nonzero', 'count_not_null', 'derivative', 'dt', 'integral', 'log10', 'log2'],
      ...['per_hour', 'per_minute', 'per_second', 'throughput'],
    ].sort(),
  );
});
