/** A field of an encoded message: its bytes are at [start, end), those of its value at [valueStart, end). */
export interface EncodedField {
  readonly number: number;
  readonly wireType: number;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;
/** Maximum bytes of a varint. */
const VARINT_BYTES = 10;

/** The fields of an encoded message, in order, without those within them. Ends before the first that is wrong. */
export function* topLevelFields(bytes: Uint8Array): Generator<EncodedField, void> {
  for (let start = 0; start < bytes.length; ) {
    const [tag, valueAt] = varint(bytes, start);
    const [end, valueStart] = placeOf(bytes, valueAt, tag % 8);
    if (!(end <= bytes.length)) return;
    yield { number: Math.floor(tag / 8), wireType: tag % 8, start, valueStart, end };
    start = end;
  }
}

/** The end and the start of a value; not a number where it is wrong. */
function placeOf(bytes: Uint8Array, at: number, wireType: number): readonly [end: number, start: number] {
  if (wireType === VARINT) return [varint(bytes, at)[1], at];
  if (wireType === FIXED_64) return [at + 8, at];
  if (wireType === FIXED_32) return [at + 4, at];
  if (wireType !== DELIMITED) return [Number.NaN, at];
  const [length, start] = varint(bytes, at);
  return [start + length, start];
}

/** The number at `at` and the index behind it; not a number where it is wrong. */
export function varint(bytes: Uint8Array, at: number): readonly [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < VARINT_BYTES && at + i < bytes.length; i++) {
    const byte = bytes[at + i];
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  return [Number.NaN, Number.NaN];
}
