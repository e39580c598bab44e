import { ByteReader, type ByteWriter } from '@tidemark/bytes';
import { type BucketStore, NO_LOW } from './bucket-store.ts';
import { type CubicMapping, cubicMapping } from './cubic-mapping.ts';
import { DDSketch, type SketchParts } from './ddsketch.ts';
import { DEFAULT_ALPHA, MAX_ALPHA, MAX_BUCKETS, MAX_COUNT, MAX_POSITIVE_BUCKETS, MIN_ALPHA } from './sketch-limits.ts';

/** Version of the packed format, docs/formats/sketch.md. */
export const SKETCH_VERSION = 1;

const POSITIVE_COLLAPSED = 1;
const NEGATIVE_COLLAPSED = 2;
const HAS_ALPHA = 4;
const EMPTY = 8;
const ONE_VALUE = 16;
const KNOWN_FLAGS = 31;

/** Memory of the decoder. Decoding is synchronous, and its result is read before the next decoding begins. */
const workspace: SketchParts = {
  alpha: DEFAULT_ALPHA,
  keys: new Int32Array(MAX_BUCKETS),
  counts: new Float64Array(MAX_BUCKETS),
  positiveLength: 0,
  negativeLength: 0,
  zeroCount: 0,
  count: 0,
  sum: 0,
  min: 0,
  max: 0,
  positiveCollapsed: false,
  negativeCollapsed: false,
};

/** Appends `sketch` in the packed format; equal state gives equal bytes (`sum` included). */
export function packSketch(sketch: DDSketch, out: ByteWriter): void {
  out.u8(SKETCH_VERSION);
  const oneValue = isOneValue(sketch);
  let flags = 0;
  if (sketch.positive.collapsed) flags |= POSITIVE_COLLAPSED;
  if (sketch.negative.collapsed) flags |= NEGATIVE_COLLAPSED;
  if (sketch.alpha !== DEFAULT_ALPHA) flags |= HAS_ALPHA;
  if (sketch.count === 0) flags |= EMPTY;
  else if (oneValue) flags |= ONE_VALUE;
  out.u8(flags);
  if (sketch.alpha !== DEFAULT_ALPHA) out.f64(sketch.alpha);
  if (sketch.count === 0) return;
  if (oneValue) {
    out.varint(sketch.count);
    out.f64(sketch.min);
    return;
  }
  out.f64(sketch.min);
  out.f64(sketch.max);
  out.f64(sketch.sum);
  out.varint(sketch.zeroCount);
  packStore(sketch.positive, out);
  packStore(sketch.negative, out);
}

/** Decodes all of `bytes`. Throws `data_loss` unless they are one whole valid packed sketch. */
export function unpackSketch(bytes: Uint8Array): DDSketch {
  const parts = decode(bytes);
  const sketch = new DDSketch({ alpha: parts.alpha });
  sketch.absorb(parts);
  return sketch;
}

/**
 * Merges a packed sketch into `target` without creating a sketch of it. Throws `data_loss` for bad bytes, and the
 * errors of `DDSketch.merge`; `target` is then unchanged.
 */
export function mergePacked(target: DDSketch, bytes: Uint8Array): void {
  target.absorb(decode(bytes));
}

/** The number of values in a packed sketch, and their sum. Throws `data_loss` for bad bytes. */
export function packedTotals(bytes: Uint8Array): { readonly count: number; readonly sum: number } {
  const { count, sum } = decode(bytes);
  return { count, sum: count === 0 ? 0 : sum };
}

/** True when the state follows from one value and its count, as for a timer that fired once or a constant. */
function isOneValue(sketch: DDSketch): boolean {
  const { min, count } = sketch;
  return count > 0 && min === sketch.max && sketch.sum === min * count && Number.isFinite(min * count);
}

function packStore(store: BucketStore, out: ByteWriter): void {
  out.varint(store.size());
  let next = NO_LOW;
  store.each((key, count) => {
    if (next === NO_LOW) {
      out.signedVarint(key);
      out.varint(count * 2);
    } else if (key === next) {
      out.varint(count * 2);
    } else {
      out.varint(count * 2 + 1);
      out.varint(key - next);
    }
    next = key + 1;
  });
}

function decode(bytes: Uint8Array): SketchParts {
  const reader = new ByteReader(bytes, 'packed sketch');
  const version = reader.u8();
  if (version !== SKETCH_VERSION) reader.fail(`version ${version}, this program reads ${SKETCH_VERSION}`);
  const flags = reader.u8();
  if (flags > KNOWN_FLAGS) reader.fail(`unknown flags ${flags}`);
  const parts = workspace;
  parts.alpha = DEFAULT_ALPHA;
  if ((flags & HAS_ALPHA) !== 0) {
    parts.alpha = reader.f64();
    if (!(parts.alpha >= MIN_ALPHA && parts.alpha <= MAX_ALPHA))
      reader.fail(`an alpha of ${parts.alpha} (limit: ${MIN_ALPHA} to ${MAX_ALPHA})`);
    if (parts.alpha === DEFAULT_ALPHA) reader.fail('the default alpha is written explicitly');
  }
  parts.positiveCollapsed = (flags & POSITIVE_COLLAPSED) !== 0;
  parts.negativeCollapsed = (flags & NEGATIVE_COLLAPSED) !== 0;
  parts.positiveLength = 0;
  parts.negativeLength = 0;
  parts.zeroCount = 0;
  parts.count = 0;
  if ((flags & (EMPTY | ONE_VALUE)) !== 0) {
    if ((flags & ~HAS_ALPHA) !== EMPTY && (flags & ~HAS_ALPHA) !== ONE_VALUE)
      reader.fail(`flags ${flags} contradict each other`);
    if ((flags & ONE_VALUE) !== 0) decodeOneValue(reader, parts);
  } else {
    decodeBuckets(reader, parts);
  }
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return parts;
}

function decodeOneValue(reader: ByteReader, parts: SketchParts): void {
  const count = reader.varint();
  if (count === 0 || count > MAX_COUNT) reader.fail(`a count of ${count}`);
  const value = reader.f64();
  if (!Number.isFinite(value * count)) reader.fail(`a value of ${value}`);
  parts.count = count;
  parts.min = value;
  parts.max = value;
  parts.sum = value * count;
  if (value === 0) {
    parts.zeroCount = count;
    return;
  }
  parts.keys[0] = cubicMapping(parts.alpha).keyOf(Math.abs(value));
  parts.counts[0] = count;
  if (value > 0) parts.positiveLength = 1;
  else parts.negativeLength = 1;
}

function decodeBuckets(reader: ByteReader, parts: SketchParts): void {
  parts.min = reader.f64();
  parts.max = reader.f64();
  parts.sum = reader.f64();
  parts.zeroCount = reader.varint();
  parts.count = parts.zeroCount;
  const mapping = cubicMapping(parts.alpha);
  parts.positiveLength = decodeStore(reader, parts, mapping, 0);
  parts.negativeLength = decodeStore(reader, parts, mapping, parts.positiveLength);
  if (parts.count === 0) reader.fail('no values, and the flag of an empty sketch is missing');
  checkConsistency(reader, parts, mapping);
}

/** Reads one store's buckets into the lists from `start` on and returns their number. */
function decodeStore(reader: ByteReader, parts: SketchParts, mapping: CubicMapping, start: number): number {
  const length = reader.varint();
  if (length === 0) return 0;
  // A bucket has at least one byte, so this also bounds the loop by the size of the input.
  reader.need(length);
  if (length > MAX_BUCKETS - start) reader.fail(`more than ${MAX_BUCKETS} buckets`);
  let key = reader.signedVarint();
  if (key < mapping.minKey) reader.fail(`bucket ${key} is below ${mapping.minKey}`);
  for (let i = start; i < start + length; i++) {
    const token = reader.varint();
    const count = Math.floor(token / 2);
    if (token % 2 === 1) {
      const gap = reader.varint();
      if (gap === 0 || i === start) reader.fail('a gap of 0, or before the first bucket');
      key += gap;
    }
    if (key > mapping.maxKey) reader.fail(`bucket ${key} is above ${mapping.maxKey}`);
    if (count === 0) reader.fail('an empty bucket');
    parts.count += count;
    if (parts.count > MAX_COUNT) reader.fail(`more than ${MAX_COUNT} values`);
    parts.keys[i] = key++;
    parts.counts[i] = count;
  }
  return length;
}

/** Checks the invariants of a sketch, so that hostile bytes cannot give one whose answers contradict each other. */
function checkConsistency(reader: ByteReader, parts: SketchParts, mapping: CubicMapping): void {
  const { keys, positiveLength, negativeLength, min, max } = parts;
  if (!(Number.isFinite(min) && Number.isFinite(max) && Number.isFinite(parts.sum) && min <= max)) {
    reader.fail(`min ${min}, max ${max}, sum ${parts.sum}`);
  }
  const end = positiveLength + negativeLength;
  if (positiveLength > MAX_POSITIVE_BUCKETS) reader.fail(`more than ${MAX_POSITIVE_BUCKETS} positive buckets`);
  if (parts.positiveCollapsed && positiveLength === 0) reader.fail('a collapsed store has no buckets');
  if (parts.negativeCollapsed && negativeLength === 0) reader.fail('a collapsed store has no buckets');
  // Extremes that were computed from bucket edges may round into the next bucket.
  const minFits =
    negativeLength > 0
      ? min < 0 && Math.abs(mapping.keyOf(-min) - keys[end - 1]) <= 1
      : parts.zeroCount > 0
        ? min === 0
        : min > 0 &&
          mapping.keyOf(min) <= keys[0] + 1 &&
          (parts.positiveCollapsed || mapping.keyOf(min) >= keys[0] - 1);
  const maxFits =
    positiveLength > 0
      ? max > 0 && Math.abs(mapping.keyOf(max) - keys[positiveLength - 1]) <= 1
      : parts.zeroCount > 0
        ? max === 0
        : max < 0 &&
          mapping.keyOf(-max) <= keys[positiveLength] + 1 &&
          (parts.negativeCollapsed || mapping.keyOf(-max) >= keys[positiveLength] - 1);
  if (!minFits || !maxFits) reader.fail(`min ${min} and max ${max} are outside of the buckets`);
}
