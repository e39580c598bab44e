import { expect, test } from '@jest/globals';
import { type Calendar, REFOLD_METHODS, REGROUP_METHODS } from '@tidemark/fold';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import {
  type Aggregator,
  type Expression,
  FUNCTIONS,
  matchesFilter,
  matchesPattern,
  parseQuery,
  printFilter,
  printQuery,
  type QueryLeaf,
  ROLLUP_METHODS,
  SPACE_AGGREGATORS,
  type TagFilter,
} from './index.ts';

const text = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }),
    fc.constantFrom('and', 'NOT', 'in', 'or', 'a"b', 'a\\', "it's", 'x y', '*', 'web', '-', '{', 'ü'),
  )
  .map((word) => word.replace(/\p{Cc}/gu, '_'));
const plain = text.map((word) => word.replaceAll('*', '_'));
const key = plain.map((word) => word.replaceAll(':', '_'));

const pattern: fc.Arbitrary<TagFilter> = fc.record({
  type: fc.constant('pattern' as const),
  key,
  pattern: fc
    .array(
      plain.map((word) => word.replaceAll(':', '_')),
      { minLength: 1, maxLength: 3 },
    )
    .map((parts) => `${parts.join('*')}*`),
});

const { filter } = fc.letrec<{ filter: TagFilter; leaf: TagFilter }>((tie) => ({
  leaf: fc.oneof(
    fc.constant<TagFilter>({ type: 'all' }),
    text.map((tag): TagFilter => ({ type: 'tag', tag })),
    pattern,
    fc.record({ type: fc.constant('in' as const), key, values: fc.uniqueArray(text, { minLength: 1, maxLength: 3 }) }),
  ),
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    tie('filter').map((inner): TagFilter => ({ type: 'not', filter: inner })),
    several('and', tie('filter')),
    several('or', tie('filter')),
  ),
}));

/** The normal form that the parser gives: nothing of the same type directly within. */
function several(type: 'and' | 'or', part: fc.Arbitrary<TagFilter>): fc.Arbitrary<TagFilter> {
  return fc
    .array(part, { minLength: 2, maxLength: 3 })
    .map((filters) => ({ type, filters: filters.flatMap((one) => (one.type === type ? one.filters : [one])) }));
}

const aggregator: fc.Arbitrary<Aggregator> = fc.oneof(
  fc.constantFrom(...SPACE_AGGREGATORS).map((name): Aggregator => ({ type: 'space', name })),
  fc.integer({ min: 1, max: 9999 }).map((n): Aggregator => ({ type: 'percentile', percentile: n / 100 })),
);
const seconds = fc.integer({ min: 1, max: 100_000 });

const calendar: fc.Arbitrary<Calendar> = fc.oneof(
  ...(
    [
      ['daily', 0, 23],
      ['weekly', 0, 6],
      ['monthly', 1, 28],
    ] as const
  ).map(([unit, min, max]) =>
    fc.record({
      unit: fc.constant(unit),
      begins: fc.integer({ min, max }),
      zone: fc.constantFrom('UTC', 'America/New_York'),
    }),
  ),
);

const leaf: fc.Arbitrary<QueryLeaf> = fc
  .record(
    {
      type: fc.constant('query' as const),
      aggregator,
      metric: fc.oneof(fc.constantFrom('system.cpu.user', 'avg', 'by', 'a-b'), text),
      filter,
      groupBy: fc.uniqueArray(key, { maxLength: 2 }),
      rollup: fc.oneof(
        seconds.map((n) => ({ seconds: n })),
        fc.constantFrom(...ROLLUP_METHODS).map((method) => ({ method })),
        fc.record({ method: fc.constantFrom(...ROLLUP_METHODS), seconds }),
        fc.record({ method: fc.constantFrom(...ROLLUP_METHODS), calendar }),
        fc.record({ calendar }),
      ),
      rollupAgain: fc.record({ method: fc.constantFrom(...REFOLD_METHODS), seconds }),
      as: fc.constantFrom('rate' as const, 'count' as const),
      fill: fc.record({ mode: fc.constantFrom('linear', 'last', 'zero', 'null'), limitSeconds: seconds }),
      weighted: fc.integer({ min: 1, max: 600 }),
    },
    { requiredKeys: ['type', 'aggregator', 'metric', 'filter', 'groupBy'] },
  )
  .map(({ rollupAgain, ...one }) => {
    // A second rollup needs the seconds of the first, and is a multiple of them.
    const first = one.rollup !== undefined && 'seconds' in one.rollup ? one.rollup.seconds : undefined;
    if (rollupAgain === undefined || first === undefined) return one;
    return { ...one, rollupAgain: { ...rollupAgain, seconds: first * ((rollupAgain.seconds % 9) + 1) } };
  });

const constant: fc.Arbitrary<Expression> = fc
  .double({ min: 0, noNaN: true, noDefaultInfinity: true })
  .map((value): Expression => ({ type: 'constant', value: Math.abs(value) }));

/** Every expression generated holds a query, as the language asks. */
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('expression').map((operand): Expression => ({ type: 'negate', operand })),
    fc.record({
      type: fc.constant('binary' as const),
      operator: fc.constantFrom('+', '-', '*', '/'),
      left: tie('expression'),
      right: fc.oneof(tie('expression'), constant),
    }),
    tie('expression').map((operand): Expression => ({ type: 'call', name: 'diff', operand, args: [] })),
    fc
      .tuple(tie('expression'), fc.double({ noNaN: true, noDefaultInfinity: true }))
      .map(([operand, limit]): Expression => ({ type: 'call', name: 'clamp_max', operand, args: [limit + 0] })),
    tie('expression').map((operand): Expression => ({ type: 'call', name: 'top', operand, args: [3, 'area', 'asc'] })),
    tie('expression').map(
      (operand): Expression => ({ type: 'call', name: 'calendar_shift', operand, args: ['-1mo', 'Europe/Paris'] }),
    ),
    fc.record({
      type: fc.constant('regroup' as const),
      how: fc.oneof(
        fc.constantFrom(...REGROUP_METHODS).map((name) => ({ type: 'method' as const, name })),
        fc.integer({ min: 1, max: 99 }).map((percentile) => ({ type: 'percentile' as const, percentile })),
      ),
      operand: tie('expression'),
      groupBy: fc.uniqueArray(key, { maxLength: 2 }),
    }),
  ),
}));

test('parse(print(query)) is the query, and printing is stable', () => {
  fc.assert(
    fc.property(fc.array(expression, { minLength: 1, maxLength: 2 }), (expressions) => {
      const printed = printQuery({ expressions });
      const parsed = parseQuery(printed, LOOSE);
      expect(parsed).toEqual({ expressions });
      expect(printQuery(parsed)).toBe(printed);
    }),
    { numRuns: 400 },
  );
});

const LOOSE = { queryLength: 1e6, depth: 100, leaves: 1000, rollupSeconds: 1e6, fillSeconds: 1e6 };

const fragment = fc.oneof(
  fc.constantFrom(
    ...['avg', 'p99', ':', '{', '}', '(', ')', ',', '.', '*', '!', ' by ', 'IN', 'NOT', 'AND', 'OR', '"', "'", '\\'],
    ...[
      'rollup',
      'fill',
      'as_rate',
      'top',
      'abs(',
      'm{*}',
      'a:b',
      '$v',
      'daily',
      'max(',
      '-',
      '/',
      '1',
      '1e9',
      '\ud800',
      '\u0000',
      '\n',
      'é',
    ],
    ...Object.keys(FUNCTIONS),
  ),
  fc.string({ maxLength: 3, unit: 'binary' }),
);

test('any text parses, into what prints and parses again, or is invalid_argument', () => {
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 30 }), (fragments) => {
      let parsed: ReturnType<typeof parseQuery>;
      try {
        parsed = parseQuery(fragments.join(''));
      } catch (error) {
        expect(isTidemarkError(error, 'invalid_argument')).toBe(true);
        return;
      }
      expect(parseQuery(printQuery(parsed))).toEqual(parsed);
    }),
    { numRuns: 2000 },
  );
});

test('patterns match as the regular expression that they stand for', () => {
  const small = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
  fc.assert(
    fc.property(small, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (wild, word) => {
      expect(matchesPattern(wild, word)).toBe(new RegExp(`^${wild.replaceAll('*', '.*')}$`).test(word));
    }),
    { numRuns: 1000 },
  );
});

test('a filter selects the same series after printing and parsing, and its negation all others', () => {
  const tags = fc.uniqueArray(
    fc.oneof(
      text,
      fc.tuple(key, text).map(([k, v]) => `${k}:${v}`),
    ),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(filter, tags, (one, series) => {
      const [parsed] = parseQuery(`m{${printFilter(one)}}`, LOOSE).expressions;
      if (parsed.type !== 'query') throw new Error('no leaf');
      expect(matchesFilter(parsed.filter, series)).toBe(matchesFilter(one, series));
      expect(matchesFilter({ type: 'not', filter: one }, series)).toBe(!matchesFilter(one, series));
    }),
  );
});
