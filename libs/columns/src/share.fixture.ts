import { toHex } from '@tidemark/bytes';
import fc from 'fast-check';
import { PointColumns, SketchColumns } from './point-columns.ts';

function ofBits(high: number, low: number): number {
  return new Float64Array(Uint32Array.of(low, high).buffer)[0];
}

/** What a codec of floats trips over: both zeros, NaN with payloads, infinities, denormals, the edges of exactness. */
export const adversarialValues = [
  0,
  -0,
  1,
  0.1,
  0.1 + 0.2,
  -99.95,
  1 / 3,
  Math.fround(1.1),
  Math.fround(-2.7),
  Number.NaN,
  ofBits(0x7ff80000, 0x1234),
  ofBits(0xfff80000, 0),
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  ofBits(0x000fffff, 0xffffffff),
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2 ** 51 - 1,
  -(2 ** 51 - 1),
  2 ** 51,
  2 ** 52 + 1,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 32,
  1e15,
  1e22,
  1e300,
  1e-14,
  1e-15,
  123456789.123456,
];

/** The bits of every value, so that NaN payloads and the sign of zero count. */
export function bitsOf(values: Float64Array<ArrayBuffer>): string {
  return toHex(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

const decimals = fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(15)).map(([n, e]) => n / 10 ** e);
const wild = fc.oneof(fc.double(), fc.float(), fc.constantFrom(...adversarialValues));

/** Sequences of values as metrics have them, and as they have them not. */
export const values = fc.oneof(
  fc.array(decimals, { maxLength: 400 }),
  fc.array(fc.oneof({ weight: 40, arbitrary: decimals }, { weight: 1, arbitrary: wild }), { maxLength: 400 }),
  fc.array(wild, { maxLength: 200 }),
  fc.array(fc.constantFrom(0, 1, 1, 4, 8, 1024), { maxLength: 400 }),
  fc.array(fc.float(), { maxLength: 300 }),
  fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 50 }), { maxLength: 300 }),
  fc.array(
    fc.integer({ min: 0, max: 2 ** 30 }).map((pages) => pages * 4096),
    { maxLength: 300 },
  ),
  fc.array(fc.nat(500), { maxLength: 400 }).map((steps) => {
    let sum = 123_456;
    return steps.map((step) => (sum += step));
  }),
);

const timeMs = fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 });
const step = fc.constantFrom(0, 1, 2, 500, 90_000);

/** How refs go on: by runs, by repeats, or anyhow. */
const steps = fc.oneof(fc.constant([1]), fc.array(step, { minLength: 1, maxLength: 60 }), fc.constant([0, 0, 0, 0, 1]));

/** `count` times: one for all, regular, jittered, or any. */
export function times(count: number): fc.Arbitrary<number[]> {
  const base = 1_700_000_000_000;
  return fc.oneof(
    timeMs.map((time) => new Array<number>(count).fill(time)),
    fc.nat(60_000).map((step) => Array.from({ length: count }, (_, i) => base + step * i)),
    fc.array(fc.nat(9), { minLength: count, maxLength: count }).map((n) => n.map((k) => base + 10_000 * k)),
    fc.array(fc.nat(99_999), { minLength: count, maxLength: count }).map((n) => n.map((k) => base + k)),
    fc.array(timeMs, { minLength: count, maxLength: count }),
  );
}

function refs(count: number): fc.Arbitrary<number[]> {
  return fc.tuple(fc.nat(100_000), steps).map(([first, pattern]) => {
    let ref = first;
    return Array.from({ length: count }, (_, i) => {
      ref += pattern[i % pattern.length];
      return ref;
    });
  });
}

const points = values.chain((list) =>
  fc.tuple(refs(list.length), times(list.length)).map(([refList, timeList]) => {
    const columns = new PointColumns();
    for (let i = 0; i < list.length; i++) columns.push(refList[i], timeList[i], list[i]);
    return columns;
  }),
);

const sketches = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }).chain((payloads) =>
  fc.tuple(refs(payloads.length), times(payloads.length)).map(([refList, timeList]) => {
    const columns = new SketchColumns();
    payloads.forEach((payload, i) => {
      columns.push(refList[i], timeList[i], payload);
    });
    return columns;
  }),
);

export const shares = fc.record({ points, sketches });
