import { ByteWriter } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';
import { packSketch, unpackSketch } from '@tidemark/sketch';
import type { SpaceFold } from './fold.ts';
import type { ScaledSums } from './scaled-sums.ts';
import { SpacePartial } from './space-partial.ts';

/**
 * An encoded SpacePartial: little-endian float64 columns, empty where the fold does not need them, and one packed
 * sketch per step, empty where there is none. These are the fields of message GroupPartial.
 */
export interface PartialBytes<Bytes extends Uint8Array = Uint8Array> {
  readonly count: Bytes;
  readonly sum: Bytes;
  /** What rounding lost of `sum`; empty where that is nothing. */
  readonly sumRest: Bytes;
  /** Both are scaled, see ScaledSums. */
  readonly sumScaled: boolean;
  readonly min: Bytes;
  readonly max: Bytes;
  readonly last: Bytes;
  readonly lastTime: Bytes;
  readonly sketches: readonly Bytes[];
}

export interface PartialLimits {
  /** Maximum bytes of one packed sketch. */
  readonly sketchBytes: number;
}

export const DEFAULT_PARTIAL_LIMITS: PartialLimits = { sketchBytes: 128 * 1024 };

/** The bytes of a partial, which must not change any more: most are views of its columns. */
export function packPartial(partial: SpacePartial): PartialBytes<Buffer> {
  return {
    count: packColumn(partial.count),
    sum: packColumn(partial.sums.sum),
    sumRest: packRest(partial.sums),
    sumScaled: partial.sums.isScaled,
    min: packColumn(partial.min),
    max: packColumn(partial.max),
    last: packColumn(partial.last),
    lastTime: packColumn(partial.lastTimeMs),
    sketches: packSketches(partial),
  };
}

/**
 * The partial of `fold` over `steps` steps that `bytes` hold. Columns of another length than asked for, counts that
 * are not whole numbers, and damaged or oversized sketches are `data_loss`; nothing is allocated by a size that the
 * bytes name.
 */
export function unpackPartial(
  fold: SpaceFold,
  steps: number,
  bytes: PartialBytes,
  limits: PartialLimits = DEFAULT_PARTIAL_LIMITS,
): SpacePartial {
  const partial = new SpacePartial(fold, steps);
  unpackColumn('count', bytes.count, partial.count);
  unpackColumn('sum', bytes.sum, partial.sums.sum);
  if (bytes.sumRest.length > 0) unpackColumn('sum_rest', bytes.sumRest, partial.sums.rest);
  partial.sums.isScaled = bytes.sumScaled;
  unpackColumn('min', bytes.min, partial.min);
  unpackColumn('max', bytes.max, partial.max);
  unpackColumn('last', bytes.last, partial.last);
  unpackColumn('last_time', bytes.lastTime, partial.lastTimeMs);
  for (let i = 0; i < steps; i++) {
    const count = partial.count[i];
    if (!Number.isSafeInteger(count) || count < 0) throw damaged('count', `${count} series in step ${i}`);
    if (count === 0) resetStep(partial, i);
  }
  if (bytes.sketches.length !== partial.sketches.length) {
    throw damaged('sketches', `${bytes.sketches.length} sketches, ${partial.sketches.length} wanted`);
  }
  for (let i = 0; i < bytes.sketches.length; i++) {
    const packed = bytes.sketches[i];
    if (packed.length > limits.sketchBytes) {
      throw damaged('sketches', `a sketch of ${packed.length} bytes, limit ${limits.sketchBytes}`);
    }
    if (packed.length > 0) partial.sketches[i] = unpackSketch(packed);
  }
  return partial;
}

/** Rest and residue in one column: a reader adds them up anyway. */
function packRest({ rest, residue }: ScaledSums): Buffer {
  const both = new Float64Array(rest.length);
  let isNothing = true;
  for (let i = 0; i < rest.length; i++) {
    both[i] = rest[i] + residue[i];
    if (both[i] !== 0) isNothing = false;
  }
  return isNothing ? EMPTY : packColumn(both);
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function packColumn({ buffer, byteOffset, byteLength }: Float64Array): Buffer {
  if (byteLength === 0) return EMPTY;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return LITTLE_ENDIAN ? bytes : Buffer.from(bytes).swap64();
}

function unpackColumn(field: string, bytes: Uint8Array, out: Float64Array): void {
  if (bytes.length !== out.byteLength) throw damaged(field, `${bytes.length} bytes, ${out.byteLength} wanted`);
  if (bytes.length === 0) return;
  const target = Buffer.from(out.buffer, out.byteOffset, out.byteLength);
  target.set(bytes);
  if (!LITTLE_ENDIAN) target.swap64();
}

/** A step without a value must not bring one in through another column. */
function resetStep(partial: SpacePartial, step: number): void {
  if (partial.sums.length > 0) partial.sums.clearAt(step);
  if (partial.min.length > 0) partial.min[step] = Number.POSITIVE_INFINITY;
  if (partial.max.length > 0) partial.max[step] = Number.NEGATIVE_INFINITY;
  if (partial.last.length > 0) {
    partial.last[step] = 0;
    partial.lastTimeMs[step] = Number.NEGATIVE_INFINITY;
  }
}

function packSketches(partial: SpacePartial): Buffer[] {
  const writer = new ByteWriter();
  return partial.sketches.map((sketch) => {
    if (sketch === undefined) return EMPTY;
    packSketch(sketch, writer);
    return writer.take();
  });
}

const EMPTY = Buffer.alloc(0);

function damaged(field: string, message: string): TidemarkError {
  return new TidemarkError('data_loss', `group partial, ${field}: ${message}`, { field });
}
