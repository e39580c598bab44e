import { bitWidth } from '@tidemark/columns';
import { BODY, ENTRY_BYTES, EXPONENT_LIMIT, INTEGER_LIMIT, shiftOf, widthOf } from './column-entry.ts';

const POWERS = Array.from({ length: EXPONENT_LIMIT + 1 }, (_, e) => Number(`1e${e}`));
/** Rounds a number below 2^51 to an integer when it is added and subtracted. */
const ROUNDER = 6_755_399_441_055_744;

/** A column's table entry and body. */
export interface EncodedColumn {
  readonly entry: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * What `encodeColumn` of page.wat does, in plain TypeScript: the description of the format in code, by which tests judge
 * the compiled one. Undefined where a value is not a decimal of at most 14 digits, or a column has none.
 */
export function encodePlainColumn(values: Float64Array): EncodedColumn | undefined {
  const exponent = exponentOf(values);
  if (exponent === undefined || values.length === 0) return undefined;
  const integers = values.map((value) => toInteger(value, exponent));
  const min = integers.reduce((a, b) => Math.min(a, b));
  const range = integers.reduce((a, b) => Math.max(a, b)) - min;
  if (range === 0) return encoded(BODY.constant, exponent, 0, 0, integerBytes(min), [], []);
  const deltas = integers.subarray(1).map((integer, i) => integer - integers[i]);
  const minDelta = deltas.reduce((a, b) => Math.min(a, b));
  const deltaRange = deltas.reduce((a, b) => Math.max(a, b)) - minDelta;
  if (bitWidth(deltaRange) < bitWidth(range)) {
    const distances = Array.from(deltas, (delta) => delta - minDelta);
    const { width, shift, packed } = pack(distances, bitWidth(deltaRange));
    return encoded(BODY.delta, exponent, width, shift, integerBytes(integers[0]), integerBytes(minDelta), packed);
  }
  const { width, shift, packed } = pack(
    Array.from(integers, (integer) => integer - min),
    bitWidth(range),
  );
  return encoded(BODY.frame, exponent, width, shift, integerBytes(min), [], packed);
}

/** What `decodeColumn` of page.wat does: writes `target.length` values of a body of constant, frame or delta. */
export function decodePlainColumn({ entry, body }: EncodedColumn, target: Float64Array): void {
  const kind = entry[0] & 7;
  const power = POWERS[(entry[0] >> 3) & 15];
  const width = widthOf(entry[1]);
  const unit = 2 ** shiftOf(entry[1]);
  const firstBytes = entry[2] & 15;
  const deltaBytes = entry[2] >> 4;
  const first = integerOf(body.subarray(0, firstBytes));
  const minDelta = integerOf(body.subarray(firstBytes, firstBytes + deltaBytes));
  const packed = body.subarray(firstBytes + deltaBytes);
  if (kind === BODY.constant) {
    target.fill(first / power);
    return;
  }
  if (kind === BODY.frame) {
    for (let i = 0; i < target.length; i++) target[i] = (first + unpack(packed, i, width) * unit) / power;
    return;
  }
  let value = first;
  target[0] = value / power;
  for (let i = 1; i < target.length; i++) {
    value += minDelta + unpack(packed, i - 1, width) * unit;
    target[i] = value / power;
  }
}

/** The lowest exponent of all values. */
function exponentOf(values: Float64Array): number | undefined {
  let exponent = 0;
  for (const value of values) {
    if (Object.is(value, -0)) return undefined;
    while (toInteger(value, exponent) / POWERS[exponent] !== value) {
      exponent++;
      if (exponent > EXPONENT_LIMIT) return undefined;
    }
  }
  return values.every((value) => Math.abs(toInteger(value, exponent)) < INTEGER_LIMIT) ? exponent : undefined;
}

function toInteger(value: number, exponent: number): number {
  return value * POWERS[exponent] + ROUNDER - ROUNDER;
}

/** Zigzag form, the lowest byte first, without zeros at the end. */
function integerBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let z = value < 0 ? -2 * value - 1 : 2 * value; z > 0; z = Math.floor(z / 256)) bytes.push(z % 256);
  return bytes;
}

function integerOf(bytes: Uint8Array): number {
  const z = bytes.reduceRight((value, byte) => value * 256 + byte, 0);
  return z % 2 === 0 ? z / 2 : -(z + 1) / 2;
}

/** Packs distances without the zeros that all of them have at their low end, in steps of four, at most 12. */
function pack(distances: readonly number[], range: number): { width: number; shift: number; packed: number[] } {
  let shift = 12;
  while (shift > 0 && distances.some((distance) => distance % 2 ** shift !== 0)) shift -= 4;
  if (range === 0) return { width: 0, shift: 0, packed: [] };
  const width = range - shift;
  const packed = new Array<number>(Math.ceil((distances.length * width) / 8)).fill(0);
  distances.forEach((distance, i) => {
    let rest = distance / 2 ** shift;
    for (let bit = i * width; rest > 0; bit++) {
      if (rest % 2 === 1) packed[bit >> 3] |= 1 << (bit & 7);
      rest = Math.floor(rest / 2);
    }
  });
  return { width, shift, packed };
}

function unpack(packed: Uint8Array, index: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) {
    const bit = index * width + i;
    value = value * 2 + ((packed[bit >> 3] >> (bit & 7)) & 1);
  }
  return value;
}

function encoded(
  kind: number,
  exponent: number,
  width: number,
  shift: number,
  first: readonly number[],
  minDelta: readonly number[],
  packed: readonly number[],
): EncodedColumn {
  const entry = new Uint8Array(ENTRY_BYTES);
  entry[0] = kind | (exponent << 3);
  entry[1] = width | (shift << 4);
  entry[2] = first.length | (minDelta.length << 4);
  return { entry, body: Uint8Array.from([...first, ...minDelta, ...packed]) };
}
