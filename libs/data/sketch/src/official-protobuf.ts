import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { limitError, TidemarkError } from '@tidemark/ports';
import { type BucketStore, NO_HIGH } from './bucket-store.ts';
import { DDSketch } from './ddsketch.ts';
import { ForeignMapping, INTERPOLATION_CUBIC, type KeyConvention } from './foreign-mapping.ts';
import { DEFAULT_ALPHA, MAX_BUCKETS, MAX_COUNT } from './sketch-limits.ts';

export interface ToOfficialOptions {
  /**
   * Convention of the libraries that will read the message; default `upper` (JavaScript, Python), `lower` is Go and
   * Java.
   */
  readonly keys?: KeyConvention;
}

export interface FromOfficialOptions {
  /** Convention of the library that wrote the message; default `upper` (JavaScript, Python), `lower` is Go and Java. */
  readonly keys?: KeyConvention;
  /** Accuracy of the resulting sketch; default 0.01. */
  readonly alpha?: number;
  /** Maximum buckets of one message; default 65,536. */
  readonly maxBuckets?: number;
}

export const DEFAULT_MAX_OFFICIAL_BUCKETS = 65_536;

/** Relative difference up to which two multipliers are the same mapping, as in the official libraries. */
const SAME_MAPPING = 1e-12;

/**
 * Encodes a sketch as the message DDSketch of the official DDSketch.proto (docs/formats/sketch.md). The message has no
 * count, sum, min or max: they are lost, and `zeroCount` counts only true zeros.
 */
export function toOfficialProtobuf(sketch: DDSketch, options: ToOfficialOptions = {}): Uint8Array {
  const lower = options.keys === 'lower';
  const { gamma, multiplier } = sketch.mapping;
  const out = new BinaryWriter();
  out.tag(1, WireType.LengthDelimited).fork();
  out.tag(1, WireType.Bit64).double(lower ? 2 ** (1 / multiplier) : gamma);
  out.tag(3, WireType.Varint).int32(INTERPOLATION_CUBIC);
  out.join();
  // Empty stores are written as well: the JavaScript library refuses a message without them.
  out.tag(2, WireType.LengthDelimited).fork();
  writeStore(sketch.positive, lower ? -1 : 0, out);
  out.join();
  out.tag(3, WireType.LengthDelimited).fork();
  writeStore(sketch.negative, lower ? -1 : 0, out);
  out.join();
  out.tag(4, WireType.Bit64).double(sketch.zeroCount);
  return out.finish();
}

function writeStore(store: BucketStore, shift: number, out: BinaryWriter): void {
  const high = store.high();
  if (high === NO_HIGH) return;
  const low = store.low();
  // One count for each key would be long where a few buckets are far from the others.
  if (high - low >= MAX_BUCKETS) {
    store.each((key, count) => {
      out.tag(1, WireType.LengthDelimited).fork();
      out.tag(1, WireType.Varint).sint32(key + shift);
      out.tag(2, WireType.Bit64).double(count);
      out.join();
    });
    return;
  }
  const counts = new Float64Array(high - low + 1);
  store.each((key, count) => {
    counts[key - low] = count;
  });
  out.tag(2, WireType.LengthDelimited).fork();
  for (const count of counts) out.double(count);
  out.join();
  out.tag(3, WireType.Varint).sint32(low + shift);
}

/**
 * Reads an official DDSketch message. From the mapping of this package (cubic, the same keys per order of magnitude, a
 * whole offset) buckets are copied one by one. From any other, each bucket's count is inserted at its representative
 * value, so the errors of both sketches add up, and bounds are about those values.
 *
 * Fractional counts are rounded along the running total from the lowest value up, so that the total and every rank are
 * off by at most half a value. `sum` is the sum of the representative values, `min` and `max` are edges of the
 * outermost buckets.
 *
 * Throws `invalid_argument` unless the bytes are one whole valid message within the limits.
 */
export function fromOfficialProtobuf(bytes: Uint8Array, options: FromOfficialOptions = {}): DDSketch {
  const sketch = new DDSketch({ alpha: options.alpha ?? DEFAULT_ALPHA });
  const message = readMessage(bytes, options.maxBuckets ?? DEFAULT_MAX_OFFICIAL_BUCKETS);
  const mapping = new ForeignMapping(
    message.gamma,
    message.indexOffset,
    message.interpolation,
    options.keys ?? 'upper',
  );
  const own = sketch.mapping;
  const same =
    mapping.interpolation === INTERPOLATION_CUBIC &&
    Math.abs(mapping.multiplier / own.multiplier - 1) <= SAME_MAPPING &&
    Number.isInteger(mapping.shift);
  const standIn = (key: number): number => {
    if (!same) return Math.min(Number.MAX_VALUE, mapping.valueOf(key));
    const ownKey = key - mapping.shift;
    if (ownKey < own.minKey) return 0;
    return Math.min(Number.MAX_VALUE, own.valueOf(Math.min(ownKey, own.maxKey)));
  };
  let exact = 0;
  let rounded = 0;
  const insert = (value: number, count: number): void => {
    exact += count;
    if (exact > MAX_COUNT) throw limitError('count', 'more values than one sketch can have', MAX_COUNT);
    const whole = Math.round(exact) - rounded;
    if (whole <= 0) return;
    sketch.insert(value, whole);
    rounded += whole;
  };
  for (const [key, count] of sorted(message.negative).reverse()) insert(-standIn(key), count);
  if (message.zeroCount > 0) insert(0, message.zeroCount);
  for (const [key, count] of sorted(message.positive)) insert(standIn(key), count);
  sketch.widenToBuckets();
  return sketch;
}

function sorted(buckets: Map<number, number>): [number, number][] {
  return [...buckets].sort((a, b) => a[0] - b[0]);
}

interface OfficialMessage {
  gamma: number;
  indexOffset: number;
  interpolation: number;
  readonly positive: Map<number, number>;
  readonly negative: Map<number, number>;
  zeroCount: number;
}

function readMessage(bytes: Uint8Array, maxBuckets: number): OfficialMessage {
  const message: OfficialMessage = {
    gamma: 0,
    indexOffset: 0,
    interpolation: 0,
    positive: new Map(),
    negative: new Map(),
    zeroCount: 0,
  };
  try {
    readFields(new BinaryReader(bytes), bytes.length, (reader, field, wireType) => {
      if (field === 1 && wireType === WireType.LengthDelimited) {
        readSubmessage(reader, (inner, innerField, innerType) => readMapping(inner, innerField, innerType, message));
      } else if (field === 2 && wireType === WireType.LengthDelimited) {
        readStore(reader, message.positive, maxBuckets);
      } else if (field === 3 && wireType === WireType.LengthDelimited) {
        readStore(reader, message.negative, maxBuckets);
      } else if (field === 4 && wireType === WireType.Bit64) {
        message.zeroCount = checkedCount(reader.double(), 'zeroCount');
      } else {
        return false;
      }
      return true;
    });
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError('invalid_argument', 'not a DDSketch message', { field: 'sketch' }, { cause: error });
  }
  if (message.positive.size + message.negative.size > maxBuckets) throw tooManyBuckets(maxBuckets);
  return message;
}

/**
 * Reads the field whose tag was just read. Returns false for an unknown field or another wire type, which is then
 * skipped.
 */
type FieldReader = (reader: BinaryReader, field: number, wireType: WireType) => boolean;

const EXPECTED_WIRE_TYPES: readonly WireType[] = [
  WireType.Varint,
  WireType.Bit64,
  WireType.LengthDelimited,
  WireType.Bit32,
];

function readFields(reader: BinaryReader, end: number, read: FieldReader): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    // Groups nest without a bound, and this message has no groups.
    if (!EXPECTED_WIRE_TYPES.includes(wireType)) throw limitError('sketch', 'a group in the message', 'no groups');
    if (!read(reader, field, wireType)) reader.skip(wireType, field);
  }
  if (reader.pos !== end) throw new RangeError('a field exceeds the end of its message');
}

function readSubmessage(reader: BinaryReader, read: FieldReader): void {
  const size = reader.uint32();
  const end = reader.pos + size;
  if (end > reader.len) throw new RangeError('a submessage exceeds the end of its message');
  readFields(reader, end, read);
}

function readMapping(reader: BinaryReader, field: number, wireType: WireType, message: OfficialMessage): boolean {
  if (field === 1 && wireType === WireType.Bit64) message.gamma = reader.double();
  else if (field === 2 && wireType === WireType.Bit64) message.indexOffset = reader.double();
  else if (field === 3 && wireType === WireType.Varint) message.interpolation = reader.int32();
  else return false;
  return true;
}

function readStore(reader: BinaryReader, buckets: Map<number, number>, maxBuckets: number): void {
  const contiguous: number[] = [];
  let offset = 0;
  const take = (inner: BinaryReader): void => {
    const count = checkedCount(inner.double(), 'contiguousBinCounts');
    if (contiguous.length >= maxBuckets) throw tooManyBuckets(maxBuckets);
    contiguous.push(count);
  };
  readSubmessage(reader, (inner, field, wireType) => {
    if (field === 1 && wireType === WireType.LengthDelimited) {
      readEntry(inner, buckets);
      if (buckets.size > maxBuckets) throw tooManyBuckets(maxBuckets);
    } else if (field === 2 && wireType === WireType.LengthDelimited) {
      const size = inner.uint32();
      const end = inner.pos + size;
      if (end > inner.len || size % 8 !== 0) throw new RangeError('a packed list of doubles has a wrong length');
      while (inner.pos < end) take(inner);
    } else if (field === 2 && wireType === WireType.Bit64) {
      take(inner);
    } else if (field === 3 && wireType === WireType.Varint) {
      offset = inner.sint32();
    } else {
      return false;
    }
    return true;
  });
  for (let i = 0; i < contiguous.length; i++) {
    if (contiguous[i] > 0) buckets.set(offset + i, (buckets.get(offset + i) ?? 0) + contiguous[i]);
  }
}

function readEntry(reader: BinaryReader, buckets: Map<number, number>): void {
  let key = 0;
  let count = 0;
  readSubmessage(reader, (inner, field, wireType) => {
    if (field === 1 && wireType === WireType.Varint) key = inner.sint32();
    else if (field === 2 && wireType === WireType.Bit64) count = checkedCount(inner.double(), 'binCounts');
    else return false;
    return true;
  });
  if (count > 0) buckets.set(key, count);
  else buckets.delete(key);
}

function checkedCount(count: number, field: string): number {
  if (!(count >= 0 && count <= MAX_COUNT)) throw limitError(field, `a count of ${count}`, `0 to ${MAX_COUNT}`);
  return count;
}

function tooManyBuckets(maxBuckets: number): TidemarkError {
  return limitError('buckets', 'too many buckets in the message', maxBuckets);
}
