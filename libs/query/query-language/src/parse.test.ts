import { describe, expect, test } from '@jest/globals';
import { isTidemarkError, type TidemarkError } from '@tidemark/ports';
import {
  DEFAULT_QUERY_LIMITS,
  parseFilter,
  parseQuery,
  printFilter,
  printQuery,
  type QueryLeaf,
  type TagFilter,
  type Variables,
  writeWord,
} from './index.ts';

function errorOf(text: string, limits = DEFAULT_QUERY_LIMITS): TidemarkError {
  try {
    parseQuery(text, limits);
  } catch (error) {
    if (isTidemarkError(error, 'invalid_argument')) return error;
    throw error;
  }
  throw new Error(`no error in ${text}`);
}

function leafOf(text: string): QueryLeaf {
  const [expression] = parseQuery(text).expressions;
  if (expression.type !== 'query') throw new Error(`no leaf: ${text}`);
  return expression;
}

describe('parseQuery', () => {
  test('the parser reads the example of the documentation', () => {
    expect(parseQuery('avg:system.cpu.user{env:prod,!role:db} by {host}')).toEqual({
      expressions: [
        {
          type: 'query',
          aggregator: { type: 'space', name: 'avg' },
          metric: 'system.cpu.user',
          filter: {
            type: 'and',
            filters: [
              { type: 'tag', tag: 'env:prod' },
              { type: 'not', filter: { type: 'tag', tag: 'role:db' } },
            ],
          },
          groupBy: ['host'],
        },
      ],
    });
  });

  test('the parser reads everything that follows a query with a dot', () => {
    expect(leafOf('p99.9:latency{*} by {a, b}.fill(last, 60).rollup(sum, 30).as_rate()')).toMatchObject({
      aggregator: { type: 'percentile', percentile: 99.9 },
      groupBy: ['a', 'b'],
      rollup: { method: 'sum', seconds: 30 },
      as: 'rate',
      fill: { mode: 'last', limitSeconds: 60 },
    });
    expect(leafOf('x{*}.rollup(20)').rollup).toEqual({ seconds: 20 });
    expect(leafOf("x{*}.rollup('max')").rollup).toEqual({ method: 'max' });
  });

  const scopes: readonly (readonly [string, TagFilter, string])[] = [
    ['*', { type: 'all' }, '*'],
    [
      'availability-zone:us-east-1a',
      { type: 'tag', tag: 'availability-zone:us-east-1a' },
      'availability-zone:us-east-1a',
    ],
    ['bare', { type: 'tag', tag: 'bare' }, 'bare'],
    ['url:http://a/b', { type: 'tag', tag: 'url:http://a/b' }, 'url:http://a/b'],
    ['stadt:köln', { type: 'tag', tag: 'stadt:köln' }, 'stadt:köln'],
    [
      '!device:/dev/loop*',
      { type: 'not', filter: { type: 'pattern', key: 'device', pattern: '/dev/loop*' } },
      '!device:/dev/loop*',
    ],
    ['region:*east*', { type: 'pattern', key: 'region', pattern: '*east*' }, 'region:*east*'],
    ['k:"a b"*', { type: 'pattern', key: 'k', pattern: 'a b*' }, '"k:a b"*'],
    ['k:"*"', { type: 'tag', tag: 'k:*' }, '"k:*"'],
    ['"not"', { type: 'tag', tag: 'not' }, '"not"'],
    ['k in (a, "b c", a)', { type: 'in', key: 'k', values: ['a', 'b c'] }, 'k IN (a,"b c")'],
    ['k NOT IN (a)', { type: 'not', filter: { type: 'in', key: 'k', values: ['a'] } }, 'k NOT IN (a)'],
    [
      'a:1 or b:2 AND not c:3',
      {
        type: 'or',
        filters: [
          { type: 'tag', tag: 'a:1' },
          {
            type: 'and',
            filters: [
              { type: 'tag', tag: 'b:2' },
              { type: 'not', filter: { type: 'tag', tag: 'c:3' } },
            ],
          },
        ],
      },
      'a:1 OR b:2 AND NOT c:3',
    ],
    [
      'a, b OR c, (d AND e)',
      {
        type: 'and',
        filters: [
          { type: 'tag', tag: 'a' },
          {
            type: 'or',
            filters: [
              { type: 'tag', tag: 'b' },
              { type: 'tag', tag: 'c' },
            ],
          },
          { type: 'tag', tag: 'd' },
          { type: 'tag', tag: 'e' },
        ],
      },
      'a AND (b OR c) AND d AND e',
    ],
  ];
  test.each(scopes)('scope {%s}', (text, filter, printed) => {
    expect(leafOf(`avg:m{${text}}`).filter).toEqual(filter);
    expect(printFilter(filter)).toBe(printed);
    expect(leafOf(`avg:m{${printed}}`).filter).toEqual(filter);
  });

  test.each([
    ['a{*}+b{*}*c{*}', 'avg:a{*} + avg:b{*} * avg:c{*}'],
    ['(a{*}+b{*})*2', '(avg:a{*} + avg:b{*}) * 2'],
    ['a{*}-(b{*}-c{*})-1', 'avg:a{*} - (avg:b{*} - avg:c{*}) - 1'],
    ['-(a{*}+1)/-2e3', '-(avg:a{*} + 1) / -2000'],
    ['top(sum:a{*} by {h}, 5)', "top(sum:a{*} by {h}, 5, 'mean', 'desc')"],
    [
      "bottom(sum:a{*} by {h,h}, 5, 'last', 'asc'),abs(x{*})",
      "bottom(sum:a{*} by {h}, 5, 'last', 'asc'), abs(avg:x{*})",
    ],
    ['clamp_min(per_second(a{*}), -1.5)', 'clamp_min(per_second(avg:a{*}), -1.5)'],
    ['p05:"http-requests"{*}.fill(linear)', 'p5:"http-requests"{*}.fill(linear)'],
  ])('%s is printed as %s', (text, printed) => {
    expect(printQuery(parseQuery(text))).toBe(printed);
    expect(parseQuery(printed)).toEqual(parseQuery(text));
  });
});

test.each([
  ['top5(a{*})', "top(avg:a{*}, 5, 'mean', 'desc')"],
  ['bottom10_l2norm(a{*} by {h})', "bottom(avg:a{*} by {h}, 10, 'l2norm', 'asc')"],
  ["top(a{*}, 3, 'sum')", "top(avg:a{*}, 3, 'sum', 'desc')"],
  ['timeshift(a{*}, -1209600) / day_before(a{*})', 'timeshift(avg:a{*}, -1209600) / day_before(avg:a{*})'],
  ['calendar_shift(a{*}, "-1mo")', "calendar_shift(avg:a{*}, '-1mo', 'UTC')"],
  ["calendar_shift(a{*}, '-2w', 'Asia/Tokyo')", "calendar_shift(avg:a{*}, '-2w', 'Asia/Tokyo')"],
  ['moving_rollup(a{*}, 300)', "moving_rollup(avg:a{*}, 300, 'avg')"],
  ['round(a{*})', 'round(avg:a{*}, 0)'],
  ['a{*}.rollup(sum, daily)', "avg:a{*}.rollup(sum, daily, 'UTC')"],
  ["a{*}.rollup(sum, daily, 12am, 'Europe/Paris')", "avg:a{*}.rollup(sum, daily, 'Europe/Paris')"],
  ['a{*}.rollup(daily, 6pm)', "avg:a{*}.rollup(daily, 6pm, 'UTC')"],
  ["a{*}.rollup(avg, weekly, sunday, 'UTC')", "avg:a{*}.rollup(avg, weekly, sunday, 'UTC')"],
  ["a{*}.rollup(sum, monthly, 3rd, 'America/Denver')", "avg:a{*}.rollup(sum, monthly, 3rd, 'America/Denver')"],
  ['sum:a{*}.weighted()', 'sum:a{*}.weighted(10)'],
  ['max(avg:a{*} by {env,host}) by {env}', 'max(avg:a{*} by {env,host}) by {env}'],
  ['p95(sum(a{*} by {h,e}) by {e}) + 1', 'p95(sum(avg:a{*} by {h,e}) by {e}) + 1'],
])('%s is printed as %s', (text, printed) => {
  expect(printQuery(parseQuery(text))).toBe(printed);
  expect(parseQuery(printed)).toEqual(parseQuery(text));
});

describe('template variables', () => {
  const variables = { env: 'prod', host: 'web-*', all: '*', tag: 'role:db', and: 'and' };
  test.each([
    ['{$env}', '{env:prod}'],
    ['{!$env,$tag}', '{!env:prod,role:db}'],
    ['{$all}', '{*}'],
    ['{$host}', '{host:web-*}'],
    ['{server:$host.value, x:$all.value}', '{server:web-*,x:*}'],
    ['{name:a-$env.value-b}', '{name:a-prod-b}'],
    ['{env IN ($env.value, dev)}', '{env IN (prod,dev)}'],
    ['{$and.value}', '{"and"}'],
  ])('%s is %s', (scope, printed) => {
    expect(printQuery(parseQuery(`avg:m${scope}`, DEFAULT_QUERY_LIMITS, variables))).toBe(`avg:m${printed}`);
  });

  const lists = { env: ['prod', 'dev', 'prod'], host: ['web-*', 'db'], any: ['*', 'x'], one: ['a'], keys: ['k', 'l'] };
  test.each([
    ['{$env}', '{env:prod OR env:dev}'],
    ['{!$env,$one}', '{NOT (env:prod OR env:dev) AND one:a}'],
    ['{$env AND x:y}', '{(env:prod OR env:dev) AND x:y}'],
    ['{$host OR a:b}', '{host:web-* OR host:db OR a:b}'],
    ['{$any}', '{* OR any:x}'],
    ['{server:$host.value-$env.value}', '{server:web-*-prod OR server:web-*-dev OR server:db-prod OR server:db-dev}'],
    ['{env IN ($env.value, dev, test)}', '{env IN (prod,dev,test)}'],
    ['{env NOT IN ($env.value)}', '{env NOT IN (prod,dev)}'],
    ['{*} by {$keys.value,k,m}', '{*} by {k,l,m}'],
  ])('with several values: %s is %s', (scope, printed) => {
    expect(printQuery(parseQuery(`avg:m${scope}`, DEFAULT_QUERY_LIMITS, lists))).toBe(`avg:m${printed}`);
  });

  test('with several values are refused where one is needed, and where there are too many', () => {
    const parse = (scope: string, given: Variables) => () => parseQuery(`m${scope}`, DEFAULT_QUERY_LIMITS, given);
    expect(parse('{$env.value IN (a)}', lists)).toThrow(/one tag key before IN/);
    expect(parse('{host IN ($host.value)}', lists)).toThrow(/a tag value without wildcards/);
    expect(parse('{*}', { a: [] })).toThrow('variables.a: 0 values (limit: 1 to 100)');
    expect(parse('{*}', { a: ['x', ''] })).toThrow(/variables\.a: ""/);
    const many = Array.from({ length: 100 }, (_, i) => `v${i}`);
    expect(parse('{*}', { a: [...many, 'more'] })).toThrow('variables.a: 101 values (limit: 1 to 100)');
    expect(parse('{k:$a.value$b.value}', { a: many, b: many })).toThrow(
      /10000 combinations of values, expected at most/,
    );
    expect(parse(`{${Array(11).fill('$a').join()}}`, { a: many })).toThrow(/at most 1000 values in all/);
  });

  test('may be the key of a grouping', () => {
    const query = parseQuery('m{*} by {$env.value}', DEFAULT_QUERY_LIMITS, variables);
    expect(printQuery(query)).toBe('avg:m{*} by {prod}');
  });

  test.each(['{a:$env}', '{$env-b}', '{$env$tag}'])('%s: a tag within a tag is refused', (scope) => {
    const parse = () => parseQuery(`m${scope}`, DEFAULT_QUERY_LIMITS, variables);
    expect(parse).toThrow(/within a tag, expected \$env\.value/);
  });

  test('that are too many, too long or of a wrong name are refused', () => {
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`v${i}`, 'x']));
    const parse = (given: Record<string, string>) => () => parseQuery('m{*}', DEFAULT_QUERY_LIMITS, given);
    expect(parse(many)).toThrow('variables: 51 (limit: at most 50)');
    expect(parse({ 'a-b': 'x' })).toThrow(/variables: "a-b"/);
    expect(parse({ a: '' })).toThrow(/variables\.a: ""/);
    expect(parse({ a: 'x'.repeat(201) })).toThrow(/1 to 200 characters/);
    expect(parse({ a: 'x\n' })).toThrow(/no control character/);
  });
});

describe('a second rollup', () => {
  test('is kept apart from the first, in any order with other functions', () => {
    const leaf = leafOf('sum:m{*}.rollup(sum, 60).as_rate().rollup(max, 300).fill(zero)');
    expect(leaf).toMatchObject({
      rollup: { method: 'sum', seconds: 60 },
      rollupAgain: { method: 'max', seconds: 300 },
      as: 'rate',
      fill: { mode: 'zero' },
    });
  });

  test.each([
    ['m{*}.rollup(sum).rollup(max, 60)', /column 18: found a second rollup, expected seconds in the first one/],
    ['m{*}.rollup(sum, daily).rollup(max, 60)', /expected seconds in the first one/],
    [
      'm{*}.rollup(sum, 60).rollup(max, 90)',
      /expected a method \(avg, .*\), and a multiple of the 60 s of the first rollup/,
    ],
    ['m{*}.rollup(sum, 60).rollup(120)', /expected a method \(avg, .*\), and a multiple of the 60 s/],
    ['m{*}.rollup(sum, 60).rollup(max, daily)', /expected a method \(avg, .*\), and a multiple of the 60 s/],
    [
      'm{*}.rollup(60).rollup(max, 60).rollup(max, 60)',
      /a third rollup, expected each function at most once, rollup twice/,
    ],
    ['m{*}.fill(zero).fill(zero)', /a second fill, expected each function at most once/],
  ])('%s is refused', (text, message) => {
    expect(errorOf(text).message).toMatch(message);
  });
});

test('control characters in tags are written as escapes, and read back', () => {
  const tag = 'query:SELECT a\nFROM\t"b\\"\u0000\u001b\ufffd\r';
  const written = writeWord(tag);
  expect(written).toBe('"query:SELECT a\\nFROM\\t\\"b\\\\\\"\\u0000\\u001b\ufffd\\r"');
  expect(parseQuery(`sum:m{${written}}`).expressions).toMatchObject([{ filter: { type: 'tag', tag } }]);
  expect(errorOf('sum:m{"\\x"}').message).toMatch(/an unknown escape/);
});

test('a function of Datadog that is missing is named as such', () => {
  const error = errorOf("avg:m{*}, anomalies(avg:m{*}, 'agile', 2)");
  expect(error.message).toBe('query, column 11: anomalies is a Datadog function that Tidemark does not have yet');
  expect(error.detail).toMatchObject({ field: 'query', column: 11, found: 'anomalies' });
  for (const name of ['outliers', 'forecast']) expect(errorOf(`${name}(m{*})`).message).toMatch('does not have yet');
});

describe('a syntax error', () => {
  test('a syntax error has its column, found and expected, and points to the place', () => {
    const error = errorOf('avg:système{*}');
    expect(error.message).toBe('query, column 9: found "è", expected "{" and a scope, such as {*}');
    expect(error.detail).toEqual({
      field: 'query',
      column: 9,
      found: '"è"',
      expected: '"{" and a scope, such as {*}',
      caret: 'avg:système{*}\n        ^',
    });
    // Columns are characters, not code units.
    expect(errorOf('avg:m{🙂:1 x}').detail.column).toBe(11);
  });

  test.each([
    ['avgg:m{*}', 1, 'avg'],
    ['per_secnd(m{*})', 1, 'per_second'],
    ['ewma_4(m{*})', 1, 'ewma_1'],
    ['top5_meen(m{*})', 1, 'top5_mean'],
    ['day_befor(m{*})', 1, 'day_before'],
    ['m{*}.rollup(sum, weakly)', 18, 'weekly'],
    ['m{*}.rolup(5)', 6, 'rollup'],
    ['m{*}.fill(lineer)', 11, 'linear'],
    ['m{*}.rollup(summ, 3)', 13, 'sum'],
    ["top(m{*}, 5, 'men')", 14, 'mean'],
  ])('%s: column %i, did you mean %s', (text, column, suggestion) => {
    expect(errorOf(text).detail).toMatchObject({ column, suggestion });
    expect(errorOf(text).message).toMatch(`did you mean ${suggestion}?`);
  });

  test.each([
    ['', 1, /the end of the query, expected a query/],
    ['avg:m', 6, /expected "\{" and a scope/],
    ['avg:m{}', 7, /expected a tag/],
    ['avg:m{a b}', 9, /expected ",", AND, OR or "}"/],
    ['avg:m{$env}', 7, /found "\$env" without a value, expected a value for it in the request/],
    ['avg:m{$}', 7, /found "\$"/],
    ['avg:m{k:$v.value}', 9, /"\$v" without a value/],
    ['timeshift(m{*}, 1.5)', 17, /whole number/],
    ["calendar_shift(m{*}, '+1d')", 22, /a shift such as '-1d'/],
    ["calendar_shift(m{*}, '-1d', 'Mars/Base')", 29, /a time zone such as/],
    ["moving_rollup(m{*}, 60, 'median')", 25, /method of moving_rollup\(\) \(avg, sum/],
    ['m{*}.rollup(sum, yearly)', 18, /a calendar \(daily, weekly, monthly\)/],
    ["m{*}.rollup(sum, daily, 'Mars/Base')", 25, /the hour at which days begin.*or a time zone/],
    ['m{*}.rollup(sum, daily, 13pm)', 25, /12am to 11pm/],
    ['m{*}.rollup(sum, monthly, 29th)', 27, /1st to 28th/],
    ['max(1) by {env}', 5, /only constants/],
    ['m{*}.weighted(0)', 15, /from 1 to/],
    ['avg:m{AND}', 7, /found "AND"/],
    ['avg:m{web*}', 7, /wildcards only in the value/],
    ['avg:m{k:*"*"}', 7, /not both/],
    ['avg:m{k IN (a*)}', 13, /without wildcards/],
    ['avg:m{k NOT a}', 9, /NOT IN/],
    ['avg:m{k:"a', 9, /a closing "/],
    ['avg:m{*} by {a:b}', 14, /a tag key/],
    ['avg:m{*} x', 10, /an operator, "," or the end/],
    ['1 + 2', 1, /only constants/],
    ['abs(3) + m{*}', 5, /only constants/],
    ['m{*} + 1e999', 8, /64 bits/],
    ['p100:m{*}', 1, /above 0 and below 100; write min: or max:/],
    ['p0:m{*}', 1, /above 0 and below 100/],
    ['rate(nc_requests_total[5m])', 1, /PromQL is not supported; write sum:METRIC\{\*\}\.as_rate\(\)/],
    ['histogram_quantile(0.9, m)', 1, /PromQL is not supported/],
    ['m{*}.rollup(0)', 13, /from 1 to/],
    ['m{*}.rollup(1.5)', 13, /whole number/],
    ['m{*}.rollup(1).rollup(2)', 16, /a second rollup/],
    ['m{*}.as_rate().as_count()', 16, /a second as_rate or as_count/],
    ['top(m{*})', 9, /how many series of top/],
    ['abs(m{*}, 1)', 9, /an operator or "\)"/],
  ])('%s: column %i', (text, column, message) => {
    const error = errorOf(text);
    expect(error.message).toMatch(message);
    expect(error.detail.column).toBe(column);
  });

  test('errors beyond a limit name the limit', () => {
    expect(errorOf('m{*}', { ...DEFAULT_QUERY_LIMITS, queryLength: 3 }).message).toMatch('limit: 3 characters');
    expect(errorOf('m{*}+1+2', { ...DEFAULT_QUERY_LIMITS, leaves: 2 }).message).toMatch('at most 2 in all');
    for (const deep of ['('.repeat(9999), '-'.repeat(9999), 'abs('.repeat(4000), `m{${'!'.repeat(9999)}`]) {
      expect(errorOf(deep).message).toMatch('at most 32 levels');
    }
  });
});

describe('a filter alone', () => {
  test.each(['*', 'env:prod', 'a:1,!b:2', 'env IN (a,b) AND service:web*', 'a:1 OR NOT (b:2 AND c:3)'])(
    '%s means what it means within a query',
    (text) => {
      expect(parseFilter(text)).toEqual(leafOf(`m{${text}}`).filter);
    },
  );

  test('no text selects all series', () => {
    expect([parseFilter(''), parseFilter(' ')]).toEqual([{ type: 'all' }, { type: 'all' }]);
  });

  test.each(['a:1}', 'a:1} by {b', '}', 'a:1 b:2', 'NOT', 'k IN (', '!'.repeat(9999)])('%.20s is refused', (text) => {
    expect(() => parseFilter(text)).toThrow(/query, column \d+|characters/);
  });
});
