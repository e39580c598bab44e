import { describe, expect, test } from '@jest/globals';
import { finishAtOnce, isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { type ElementReader, eachOfList, eachSeries } from './json-elements.ts';
import { DEFAULT_DATADOG_LIMITS } from './limits.ts';

const REFUSED = 'refused';

/** Collects elements; those that are read in pieces as if they had been read at once. */
function readerInto(found: unknown[]): ElementReader {
  let element: Readonly<Record<string, unknown>> = {};
  let points: unknown[] = [];
  return {
    take: (one) => found.push(one),
    refuse: () => found.push(REFUSED),
    inPieces: {
      begin: (one) => {
        element = one;
        points = [];
      },
      points: (some) => points.push(...some),
      end: () => found.push({ ...element, points }),
    },
  };
}

/** The list of a body; undefined when it is refused. */
function listOf(text: string, sliceBytes: number, each = eachSeries, elementBytes = 1 << 20): unknown[] | undefined {
  const found: unknown[] = [];
  try {
    const reader = readerInto(found);
    const limits = { ...DEFAULT_DATADOG_LIMITS, jsonElementBytes: elementBytes };
    finishAtOnce(each(Buffer.from(text), limits, reader, sliceBytes));
    return found;
  } catch (error) {
    if (isTidemarkError(error, 'invalid_argument')) return undefined;
    throw error;
  }
}

describe('the list of series of a body', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const slices = fc.integer({ min: 1, max: 40 });

  test('is the same in slices as at once', () => {
    const spaced = fc.constantFrom(undefined, 1, '\n\t');
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 12 }),
        fc.dictionary(fc.string(), value),
        spaced,
        slices,
        (list, more, space, bytes) => {
          const text = JSON.stringify({ ...more, series: list }, undefined, space);
          expect(listOf(text, bytes)).toEqual(JSON.parse(text).series);
        },
      ),
    );
  });

  test('of damaged bytes is refused in slices whenever the parser refuses it, and otherwise the same', () => {
    const change = fc.record({ at: fc.nat(), to: fc.constantFrom(...'[]{},:"\\ 0a'), isPut: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 6 }),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        slices,
        (list, changes, bytes) => {
          let text = JSON.stringify({ a: 1, series: list, b: ['series'] });
          for (const { at, to, isPut } of changes) {
            const from = at % text.length;
            text = text.slice(0, from) + to + text.slice(isPut ? from : from + 1);
          }
          expect(listOf(text, bytes)).toEqual(listOf(text, text.length * 3));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['{"series":[1,2,]}', undefined],
    ['{"series":[,1]}', undefined],
    ['{"series":[ , ]}', undefined],
    ['{"series":[1],[2]}', undefined],
    ['{"series":[1]', undefined],
    ['{"series":[1]}]', undefined],
    ['{"series":[1],"series":[1,2]}', undefined],
    ['{"\\u0073eries":[1,2]}', undefined],
    ['{"a":{"series":[3]},"series":[1,2]}', [1, 2]],
    ['{"series":"series","b":[1]}', undefined],
    ['{"series": \n [ ] }', []],
    ['[{"series":[1]}]', undefined],
  ])('%s', (text, list) => {
    for (let bytes = 1; bytes < text.length; bytes++) expect(listOf(text, bytes)).toEqual(list);
  });

  test('is read with pauses', () => {
    const text = JSON.stringify({ series: Array.from({ length: 1000 }, (_, i) => ({ metric: `m${i}` })) });
    const work = eachSeries(Buffer.from(text), DEFAULT_DATADOG_LIMITS, readerInto([]), 200);
    expect([...work].length).toBeGreaterThan(text.length / 250);
  });
});

describe('a body that is a list', () => {
  const value = fc.jsonValue({ maxDepth: 3 });

  test('is read the same in slices as at once, and refused for the same damage', () => {
    const change = fc.record({ at: fc.nat(), to: fc.constantFrom(...'[]{},:"\\ 0a'), isPut: fc.boolean() });
    const changes = fc.array(change, { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 8 }),
        changes,
        fc.integer({ min: 1, max: 40 }),
        (list, changed, bytes) => {
          let text = JSON.stringify(list, undefined, bytes % 3);
          if (changed.length === 0) expect(listOf(text, bytes, eachOfList)).toEqual(JSON.parse(text));
          for (const { at, to, isPut } of changed) {
            const from = at % text.length;
            text = text.slice(0, from) + to + text.slice(isPut ? from : from + 1);
          }
          expect(listOf(text, bytes, eachOfList)).toEqual(listOf(text, text.length * 3 + 1, eachOfList));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('series that are too large to be parsed at once', () => {
  const point = fc.oneof(
    fc.tuple(fc.nat(), fc.double()),
    fc.record({ timestamp: fc.nat(), value: fc.constantFrom(null, 'x', -0.5) }),
  );
  const fields = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
  const one = fc
    .tuple(fields, fc.array(point, { maxLength: 20 }), fields)
    .map(([before, points, after]) => ({ ...before, points, ...after, 'points ': 1 }));
  const sizes = fc.record({
    sliceBytes: fc.integer({ min: 1, max: 60 }),
    elementBytes: fc.integer({ min: 1, max: 200 }),
  });
  const spaced = fc.constantFrom(undefined, 1);

  /** Elements that are as the parser has them, or refused. */
  function expectSame(found: unknown[] | undefined, list: readonly unknown[]): void {
    expect(found).toHaveLength(list.length);
    for (const [i, element] of (found ?? []).entries()) if (element !== REFUSED) expect(element).toEqual(list[i]);
  }

  test('are the same in pieces, or refused alone', () => {
    fc.assert(
      fc.property(fc.array(one, { maxLength: 5 }), spaced, sizes, (list, space, { sliceBytes, elementBytes }) => {
        const text = JSON.stringify({ series: list }, undefined, space);
        expectSame(listOf(text, sliceBytes, eachSeries, elementBytes + 120), JSON.parse(text).series);
      }),
    );
  });

  test('are not refused for the number of their points', () => {
    const points = Array.from({ length: 1000 }, (_, i) => [i, i / 2]);
    const list = [
      { metric: 'a', points: [] },
      { metric: 'b', points, tags: ['x:y'] },
      { points, metric: 'c' },
    ];
    const text = JSON.stringify({ series: list });
    for (const sliceBytes of [10, 100, 1000]) expect(listOf(text, sliceBytes, eachSeries, 120)).toEqual(list);
  });

  test('that are damaged are refused whenever the parser refuses them, or not parsed', () => {
    const change = fc.record({ at: fc.nat(), to: fc.constantFrom(...'[]{},:"\\ 0a'), isPut: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 3 }),
        fc.array(change, { minLength: 1, maxLength: 2 }),
        sizes,
        (list, changes, { sliceBytes, elementBytes }) => {
          let text = JSON.stringify({ series: list });
          for (const { at, to, isPut } of changes) {
            const from = at % text.length;
            text = text.slice(0, from) + to + text.slice(isPut ? from : from + 1);
          }
          const found = listOf(text, sliceBytes, eachSeries, elementBytes + 30);
          const expected = listOf(text, text.length * 3);
          if (found === undefined || found.includes(REFUSED)) return;
          expect(expected).toBeDefined();
          expectSame(found, expected ?? []);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['a large field', `{"series":[{"metric":"${'x'.repeat(500)}","points":[]},{"metric":"b","points":[]}]}`],
    ['two lists of points', `{"series":[{"points":[${'1,'.repeat(300)}1],"points":[]},{"metric":"b","points":[]}]}`],
    ['no list of points', `{"series":[{"points":"${'1'.repeat(500)}"},{"metric":"b","points":[]}]}`],
    ['no object', `{"series":["${'1'.repeat(500)}",{"metric":"b","points":[]}]}`],
    ['white space within', `{"series":[{"metric":"a"${' '.repeat(500)},"points":[]},{"metric":"b","points":[]}]}`],
  ])('with %s are refused alone', (_, text) => {
    expect(listOf(text, 10, eachSeries, 120)).toEqual([REFUSED, { metric: 'b', points: [] }]);
  });

  test.each([
    ['a long name before the list', `{"${'x'.repeat(500)}":1,"series":[]}`],
    ['a long field behind the list', `{"series":[],"x":"${'x'.repeat(500)}"}`],
    ['white space behind the list', `{"series":[]${' '.repeat(500)}}`],
    ['a long point', `{"series":[{"points":[1,"${'x'.repeat(500)}"]}]}`],
    ['points under an escaped name', `{"series":[{"points":[${'1,'.repeat(300)}1],"\\u0070oints":[1]}]}`],
    ['a comma before white space', `{"series":[1,${' '.repeat(500)}]}`],
  ])('a body with %s is refused', (_, text) => {
    expect(listOf(text, 10, eachSeries, 120)).toBeUndefined();
  });

  test('white space between elements is skipped', () => {
    const space = ' '.repeat(500);
    expect(listOf(`{"series":[${space}]}`, 10, eachSeries, 120)).toEqual([]);
    expect(listOf(`{"series":[${space}1,${space}{"points":[]},${space}2]}`, 10, eachSeries, 120)).toEqual([
      ...[1, { points: [] }, 2],
    ]);
  });
});
