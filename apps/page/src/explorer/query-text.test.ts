import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY_FIELDS, parseFields, printFields, type QueryFields } from './query-text.ts';

const metric = fc.stringMatching(/^[a-z][a-z0-9_.]{0,20}$/);
const key = fc.stringMatching(/^[a-z][a-z_]{0,10}$/);
const value = fc.oneof(
  fc.stringMatching(/^[a-z0-9_./-]{1,12}$/),
  fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/\p{Cc}/u.test(text) && !text.includes('*')),
);
const fields: fc.Arbitrary<QueryFields> = fc.record({
  aggregator: fc.constantFrom('avg', 'sum', 'p99', 'p99.9'),
  metric,
  filters: fc.array(fc.record({ key, value, negated: fc.boolean() }), { maxLength: 3 }),
  groupBy: fc.array(
    key.filter((name) => !/^(?:and|or|not|in)$/.test(name)),
    { maxLength: 3 },
  ),
  as: fc.constantFrom('', 'rate', 'count'),
  rollupMethod: fc.constantFrom('', 'max', 'points'),
  rollupStep: fc.oneof(
    fc.constantFrom('', 'daily', 'weekly', "monthly, 'Europe/Paris'"),
    fc.integer({ min: 1, max: 86_400 }).map(String),
  ),
});

describe('query text', () => {
  test('parsing the printed fields gives the same fields', () => {
    fc.assert(fc.property(fields, (chosen) => expect(parseFields(printFields(chosen))).toEqual(chosen)));
  });

  test('the printed query has no needless quotes or parts', () => {
    expect(
      printFields({
        aggregator: 'avg',
        metric: 'system.cpu.user',
        filters: [
          { key: 'env', value: 'prod', negated: false },
          { key: 'role', value: 'a db', negated: true },
        ],
        groupBy: ['host'],
        as: '',
        rollupMethod: 'max',
        rollupStep: '60',
      }),
    ).toBe('avg:system.cpu.user{env:prod,!"role:a db"} by {host}.rollup(max, 60)');
    expect(printFields({ ...EMPTY_FIELDS, metric: 'requests' })).toBe('avg:requests{*}');
    expect(printFields({ ...EMPTY_FIELDS, metric: 'a b' })).toBe('avg:"a b"{*}');
    expect(printFields(EMPTY_FIELDS)).toBe('');
  });

  test('a query that the fields cannot show is not parsed', () => {
    for (const text of [
      'top(avg:a{*} by {host}, 5)',
      'avg:a{*} / avg:b{*}',
      'avg:a{env:prod OR env:dev}',
      'avg:a{env IN (a, b)}',
      'avg:a{*}.fill(zero)',
      'avg:a{*',
      '',
    ]) {
      expect(parseFields(text)).toBeUndefined();
    }
  });

  test('a long unterminated text is parsed in linear time', () => {
    const startMs = performance.now();
    parseFields(`avg:a{${'b:c,'.repeat(3_000)}`);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});
