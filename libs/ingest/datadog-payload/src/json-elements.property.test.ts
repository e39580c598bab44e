import { describe, expect, test } from '@jest/globals';
import { finishAtOnce, isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { eachOfList, eachSeries } from './json-elements.ts';
import { DEFAULT_DATADOG_LIMITS } from './limits.ts';

/** The list of a body; undefined when it is refused. */
function listOf(text: string, sliceBytes: number, each = eachSeries): unknown[] | undefined {
  const found: unknown[] = [];
  try {
    finishAtOnce(each(Buffer.from(text), DEFAULT_DATADOG_LIMITS, (one) => found.push(one), sliceBytes));
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
    const work = eachSeries(Buffer.from(text), DEFAULT_DATADOG_LIMITS, () => undefined, 200);
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
          if (changed.length === 0) expect(listOf(text, bytes, eachOfList)).toEqual(list);
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
