import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENTRY_BYTES } from './column-entry.ts';
import { PageKernel } from './page-kernel.ts';
import { decodePlainColumn, type EncodedColumn, encodePlainColumn } from './plain-column.ts';

const kernel = new PageKernel();
const LIMIT = 2000;

/** Encodes by the compiled loops; undefined where they say that some value is not a decimal. */
function encodeCompiled(values: Float64Array): EncodedColumn | undefined {
  const source = kernel.start;
  const copy = source + 8 * (LIMIT + 2);
  const scratch = copy + 8 * (LIMIT + 2);
  const table = scratch + 8 * (LIMIT + 2);
  const out = table + 16;
  kernel.reserve(out + 8 * LIMIT + 64);
  // What lies behind the column is none of its business.
  kernel.floats.fill(Number.NaN, source / 8, copy / 8);
  kernel.floats.set(values, source / 8);
  const isSpecial = kernel.loops.copyColumn(source, values.length, copy) !== 0;
  expect(isSpecial).toBe(values.some((value) => !Number.isFinite(value) || Object.is(value, -0)));
  if (isSpecial) return undefined;
  const end = kernel.loops.encodeColumn(copy, values.length, scratch, table, out);
  if (end === 0) return undefined;
  return { entry: kernel.bytes.slice(table, table + ENTRY_BYTES), body: kernel.bytes.slice(out, end) };
}

function decodeCompiled({ entry, body }: EncodedColumn, count: number): Float64Array {
  const table = kernel.start;
  const at = table + 16;
  const to = (at + body.length + 64 + 15) & ~15;
  kernel.reserve(to + 8 * (count + 9));
  kernel.bytes.fill(0xff, at, to);
  kernel.bytes.set(entry, table);
  kernel.bytes.set(body, at);
  kernel.loops.decodeColumn(table, at, count, to);
  return kernel.floats.slice(to / 8, to / 8 + count);
}

const decimals = fc
  .record({
    exponent: fc.integer({ min: 0, max: 15 }),
    base: fc.maxSafeInteger(),
    spread: fc.constantFrom(1, 2, 10, 1000, 2 ** 20, 2 ** 25, 2 ** 31, 2 ** 33, 2 ** 45),
    unit: fc.constantFrom(1, 3, 16, 4096, 65_536),
    grows: fc.boolean(),
    steps: fc.array(fc.integer({ min: 0, max: 2 ** 30 }), { minLength: 1, maxLength: 400 }),
  })
  .map(({ exponent, base, spread, unit, grows, steps }) => {
    let value = base % 2 ** 40;
    return Float64Array.from(steps, (step) => {
      const distance = (step % spread) * unit;
      value = grows ? value + distance : (base % 2 ** 40) + distance;
      return value / Number(`1e${exponent}`);
    });
  });
const anything = fc
  .array(fc.oneof(fc.double(), fc.float(), fc.integer(), fc.constantFrom(0, -0, 2 ** 51, -(2 ** 51), 2 ** 51 - 1)), {
    minLength: 1,
    maxLength: 40,
  })
  .map((values) => Float64Array.from(values));

describe('the columns of a page', () => {
  it.each([
    ['decimals', decimals],
    ['any float64', anything],
  ])('are the same bytes, compiled and plain, and decode to the same bits: %s', (_, columns) => {
    fc.assert(
      fc.property(columns, (values) => {
        const plain = encodePlainColumn(values);
        const compiled = encodeCompiled(values);
        expect(compiled).toEqual(plain);
        if (plain === undefined) return;
        const bits = new BigUint64Array(values.buffer);
        expect(new BigUint64Array(decodeCompiled(plain, values.length).buffer)).toEqual(bits);
        const target = new Float64Array(values.length);
        decodePlainColumn(plain, target);
        expect(new BigUint64Array(target.buffer)).toEqual(bits);
      }),
      { numRuns: 2000 },
    );
  });
});
