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
export interface PartialBytes {
  readonly count: Uint8Array;
  readonly sum: Uint8Array;
  /** What rounding lost of `sum`; empty where that is nothing. */
  readonly sumRest: Uint8Array;
  /** Both are scaled, see ScaledSums. */
  readonly sumScaled: boolean;
  readonly min: Uint8Array;
  readonly max: Uint8Array;
  readonly last: Uint8Array;
  readonly lastTime: Uint8Array;
  readonly sketches: readonly Uint8Array[];
}

export interface PartialLimits {
  /** Maximum bytes of one packed sketch. */
  readonly sketchBytes: number;
}

export const DEFAULT_PARTIAL_LIMITS: PartialLimits = { sketchBytes: 128 * 1024 };

/** The bytes of a partial, as copies. */
export function packPartial(partial: SpacePartial): PartialBytes {
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
function packRest({ rest, residue }: ScaledSums): Uint8Array {
  const both = rest.map((value, i) => value + residue[i]);
  return both.some((value) => value !== 0) ? packColumn(both) : EMPTY;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function packColumn(column: Float64Array): Uint8Array {
  const bytes = Buffer.from(
    Uint8Array.from(new Uint8Array(column.buffer, column.byteOffset, column.byteLength)).buffer,
  );
  return LITTLE_ENDIAN ? bytes : bytes.swap64();
}

function unpackColumn(field: string, bytes: Uint8Array, out: Float64Array): void {
  if (bytes.length !== out.byteLength) throw damaged(field, `${bytes.length} bytes, ${out.byteLength} wanted`);
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

function packSketches(partial: SpacePartial): Uint8Array[] {
  const writer = new ByteWriter();
  return partial.sketches.map((sketch) => {
    if (sketch === undefined) return EMPTY;
    packSketch(sketch, writer);
    return writer.take();
  });
}

const EMPTY = new Uint8Array(0);

function damaged(field: string, message: string): TidemarkError {
  return new TidemarkError('data_loss', `group partial, ${field}: ${message}`, { field });
}
