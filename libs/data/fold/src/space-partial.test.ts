import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import fc from 'fast-check';
import {
  packPartial,
  SPACE_FOLD,
  type SpaceFold,
  type SpaceFoldName,
  SpacePartial,
  TIME_FOLD,
  TimeFolder,
  unpackPartial,
} from './index.ts';

const NONE = Number.NaN;
const STEPS = 4;

/** A series with one value a step, at most; NaN for none. Distributions get a sketch of that one value. */
type Values = readonly number[];

function add(partial: SpacePartial, values: Values): void {
  const sketched = partial.fold === SPACE_FOLD.sketch;
  const fold = sketched ? TIME_FOLD.sketch : TIME_FOLD.last;
  const folder = new TimeFolder({ fromMs: 0, stepMs: 10, steps: STEPS, fold, isAmount: false });
  const times = Float64Array.from(
    values,
    (value, i) => i * 10 + (sketched || Number.isNaN(value) ? 0 : Math.abs(value) % 3),
  );
  if (sketched) {
    const there = values.flatMap((value, i) => (Number.isNaN(value) ? [] : [i]));
    partial.addSeries(
      folder.foldSketches(
        Float64Array.from(there, (i) => times[i]),
        there.map((i) => packed(values[i])),
      ),
    );
    return;
  }
  partial.addSeries(folder.foldPoints(times, Float64Array.from(values), STEPS));
}

function packed(value: number): Uint8Array {
  const sketch = new DDSketch();
  sketch.insert(value);
  const writer = new ByteWriter();
  packSketch(sketch, writer);
  return writer.take();
}

function partialOf(fold: SpaceFold, group: readonly Values[]): SpacePartial {
  const partial = new SpacePartial(fold, STEPS);
  for (const series of group) add(partial, series);
  return partial;
}

function merged(...partials: readonly SpacePartial[]): SpacePartial {
  const out = new SpacePartial(partials[0].fold, STEPS);
  for (const partial of partials) out.merge(partial);
  return out;
}

const folds = fc.constantFrom(...Object.values(SPACE_FOLD));
// Whole numbers, so that sums are exact and don't depend on the order.
const series = fc.array(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(NONE)), {
  minLength: STEPS,
  maxLength: STEPS,
});
const groups = fc.array(series, { maxLength: 4 });

describe('SpacePartial', () => {
  const group = [
    [1, NONE, 5, -2],
    [4, NONE, NONE, 1],
  ];
  test.each<readonly [SpaceFoldName, number[]]>([
    ['avg', [2.5, NONE, 5, -0.5]],
    ['sum', [5, NONE, 5, -1]],
    ['min', [1, NONE, 5, -2]],
    ['max', [4, NONE, 5, 1]],
    ['count', [2, NONE, 1, 2]],
    // 1 and 4 are of the same timestamp, so the greater one counts; -2 is one millisecond newer than 1.
    ['last', [4, NONE, 5, -2]],
  ])('%s', (name, expected) => {
    const partial = partialOf(SPACE_FOLD[name], group);
    expect(Array.from(partial.values())).toEqual(expected);
    expect(Array.from(partial.count)).toEqual([2, 0, 1, 2]);
  });

  test('sketches answer with their exact figures, and with quantiles within bounds', () => {
    const partial = partialOf(SPACE_FOLD.sketch, group);
    expect(partial.sketches.map((sketch) => sketch?.sum ?? NONE)).toEqual([5, NONE, 5, -1]);
    expect(Array.from(partial.values({ type: 'sketch-avg' }))).toEqual([2.5, NONE, 5, -0.5]);
    expect(Array.from(partial.values({ type: 'sketch-min' }))).toEqual([1, NONE, 5, -2]);
    expect(Array.from(partial.values({ type: 'sketch-max' }))).toEqual([4, NONE, 5, 1]);
    expect(partial.sketches.map((sketch) => sketch?.count ?? NONE)).toEqual([2, NONE, 1, 2]);
    const found = partial.sketches.map((sketch) => sketch?.quantile(1));
    const values = partial.values({ type: 'quantile', quantile: 1 });
    expect(values[1]).toBeNaN();
    expect(found[0]?.low).toBeLessThanOrEqual(4);
    expect(found[0]?.high).toBeGreaterThanOrEqual(4);
    expect(Array.from(values)).toEqual(found.map((one) => one?.value ?? NONE));
  });

  test('merging is associative and commutative, and equals folding all series into one', () => {
    fc.assert(
      fc.property(folds, groups, groups, groups, (fold, a, b, c) => {
        const [pa, pb, pc] = [partialOf(fold, a), partialOf(fold, b), partialOf(fold, c)];
        const expected = packPartial(partialOf(fold, [...a, ...b, ...c]));
        expect(packPartial(merged(merged(pa, pb), pc))).toEqual(expected);
        expect(packPartial(merged(pa, merged(pb, pc)))).toEqual(expected);
        expect(packPartial(merged(pc, pa, pb))).toEqual(expected);
        expect(packPartial(merged(pa, new SpacePartial(fold, STEPS)))).toEqual(packPartial(pa));
      }),
    );
  });

  test('what is packed comes back', () => {
    fc.assert(
      fc.property(folds, groups, (fold, group) => {
        const bytes = packPartial(partialOf(fold, group));
        expect(packPartial(unpackPartial(fold, STEPS, bytes))).toEqual(bytes);
      }),
    );
  });

  test('bytes are little-endian float64, empty where the fold does not need them', () => {
    const partial = new SpacePartial(SPACE_FOLD.avg, 1);
    partial.count[0] = 2;
    partial.sums.sum[0] = 1.5;
    const bytes = packPartial(partial);
    expect(Buffer.from(bytes.count).toString('hex')).toBe('0000000000000040');
    expect(Buffer.from(bytes.sum).toString('hex')).toBe('000000000000f83f');
    expect([bytes.min, bytes.max, bytes.last, bytes.lastTime].map((column) => column.length)).toEqual([0, 0, 0, 0]);
    expect(bytes.sketches).toEqual([]);
  });

  /** Step 0 has a value, step 1 has none; columns as hex, those that the fold doesn't need left out. */
  const count = '00000000000000400000000000000000';
  test.each<readonly [SpaceFoldName, Readonly<Record<string, string | string[]>>]>([
    ['avg', { count, sum: '000000000000f83f0000000000000000' }],
    ['sum', { count, sum: '000000000000f83f0000000000000000' }],
    ['min', { count, min: '00000000000008c0000000000000f07f' }],
    ['max', { count, max: '0000000000001140000000000000f0ff' }],
    ['count', { count }],
    ['last', { count, last: '0000000000001c400000000000000000', lastTime: '000080aa6db77942000000000000f0ff' }],
    ['sketch', { count, sketches: ['010000000000000004c0000000000000f03f000000000000f8bf01010002015e02', ''] }],
  ])('golden bytes: %s', (name, columns) => {
    const fold = SPACE_FOLD[name];
    const partial = new SpacePartial(fold, 2);
    partial.count[0] = 2;
    if (partial.sums.length > 0) partial.sums.sum[0] = 1.5;
    if (partial.min.length > 0) partial.min[0] = -3;
    if (partial.max.length > 0) partial.max[0] = 4.25;
    if (partial.last.length > 0) {
      partial.last[0] = 7;
      partial.lastTimeMs[0] = 1_767_225_600_000;
    }
    if (partial.sketches.length > 0) {
      const sketch = new DDSketch();
      for (const value of [1, -2.5, 0]) sketch.insert(value);
      partial.sketches[0] = sketch;
    }
    const hex = (column: Uint8Array | undefined) => Buffer.from(column ?? []).toString('hex');
    const bytes = packPartial(partial);
    const { sketches, sumScaled, ...others } = bytes;
    expect(sumScaled).toBe(false);
    const shown = Object.entries(others).map(([field, column]) => [field, hex(column)] as const);
    const golden = { sketches: [], ...Object.fromEntries(shown.map(([field]) => [field, ''])), ...columns };
    expect({ ...Object.fromEntries(shown), sketches: sketches.map(hex) }).toEqual(golden);
    expect(packPartial(unpackPartial(fold, 2, bytes))).toEqual(bytes);
  });

  test('hostile bytes are data_loss', () => {
    const bytes = packPartial(partialOf(SPACE_FOLD.sketch, [[1, 2, 3, 4]]));
    const fractional = Buffer.from(bytes.count);
    fractional.writeDoubleLE(0.5, 8);
    const hostile = [
      { ...bytes, count: bytes.count.subarray(1) },
      { ...bytes, count: Buffer.concat([bytes.count, new Uint8Array(8)]) },
      { ...bytes, count: fractional },
      { ...bytes, sum: new Uint8Array(8) },
      { ...bytes, sumRest: new Uint8Array(8) },
      { ...bytes, sketches: bytes.sketches.slice(1) },
      { ...bytes, sketches: [...bytes.sketches, new Uint8Array(0)] },
      { ...bytes, sketches: bytes.sketches.map((sketch) => sketch.subarray(0, sketch.length - 1)) },
      { ...bytes, sketches: bytes.sketches.map(() => new Uint8Array(1 << 20)) },
    ];
    for (const one of hostile) {
      expect(() => unpackPartial(SPACE_FOLD.sketch, STEPS, one)).toThrow(
        expect.objectContaining({ name: 'TidemarkError', code: 'data_loss' }),
      );
    }
    fc.assert(
      fc.property(folds, fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 8, maxLength: 11 }), (fold, parts) => {
        const [count, sum, sumRest, min, max, last, lastTime, ...sketches] = parts;
        try {
          unpackPartial(fold, STEPS, { count, sum, sumRest, sumScaled: false, min, max, last, lastTime, sketches });
        } catch (error) {
          expect(isTidemarkError(error, 'data_loss')).toBe(true);
        }
      }),
    );
  });

  test('a step that counts no series brings no value in', () => {
    const partial = partialOf(SPACE_FOLD.max, [[9, NONE, NONE, NONE]]);
    partial.max[1] = 1e9;
    expect(Array.from(unpackPartial(SPACE_FOLD.max, STEPS, packPartial(partial)).max)).toEqual([
      9,
      -Infinity,
      -Infinity,
      -Infinity,
    ]);
  });
});
