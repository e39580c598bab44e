import { describe, expect, test } from '@jest/globals';
import { parseRows, printRows, unknownNames, withFunction } from './query-rows.ts';

const parsed = (text: string) => {
  const found = parseRows(text);
  return found === undefined ? undefined : { metrics: found.rows.map(({ metric }) => metric), formula: found.formula };
};

describe('the rows of a query', () => {
  test.each([
    ['sum:a.hits{*}.as_rate()', ['a.hits'], ''],
    ['avg:a{*}, p95:b{env:prod} by {host}', ['a', 'b'], ''],
    ['100 * sum:a{*}.as_count() / sum:b{x:y}.as_count()', ['a', 'b'], '100 * a / b'],
    ["top(avg:a{*} by {host}, 5, 'max', 'desc')", ['a'], "top(a, 5, 'max', 'desc')"],
    ['avg:a{*} - hour_before(avg:a{*})', ['a'], 'a - hour_before(a)'],
    ['max(avg:a{*} by {env,host}) by {env}', ['a'], 'max(a) by {env}'],
    ['sum:a{*}.fill(zero)', ['a'], 'a.fill(zero)'],
  ])('%s is shown, and printed as it was', (text, metrics, formula) => {
    expect(parsed(text)).toEqual({ metrics, formula });
    const rows = parseRows(text);
    expect(rows === undefined ? undefined : printRows(rows)).toBe(text);
  });

  test.each(['avg:a{x:y OR x:z}', 'avg:a{*} / avg:b{x IN (y, z)}', 'a{*}', 'avg:a{*', '5'])(
    '%s is not shown',
    (text) => {
      expect(parseRows(text)).toBeUndefined();
    },
  );

  test('a query that the formula does not use keeps its own lines', () => {
    const rows = parseRows('avg:a{*}, avg:b{*}, avg:c{*}')?.rows ?? [];
    expect(printRows({ rows, formula: 'c / a' })).toBe('avg:c{*} / avg:a{*}, avg:b{*}');
    expect(unknownNames({ rows, formula: "top(a + d, 1e3, 'e') by {f}" })).toEqual(['d']);
  });

  test('a function stands around the formula', () => {
    const rows = parseRows('avg:a{*}, avg:b{*}')?.rows ?? [];
    expect(withFunction({ rows, formula: 'a / b' }, 'clamp_min', '0')).toBe('clamp_min(a / b, 0)');
    expect(withFunction({ rows, formula: '' }, 'abs', '')).toBe('abs(a)');
  });
});
