import { bitWidth } from './bit-packing.ts';
import { LAST_BLOCK_VALUES } from './mini-block.ts';

/** Values of a unit. A block may end after any unit; the bounds of the units show where. */
const UNIT = 32;
const UNITS = LAST_BLOCK_VALUES / UNIT;
/** Cost of one more block in bits: its head, width and base. */
const CUT_COST_BITS = 48;
/**
 * Factor by which one end of a block, of `END_VALUES` values, must be narrower: where two metrics meet, one of them is
 * narrow.
 */
const NARROW_END = 8;
const END_VALUES = 8;
/** Deltas that are sampled before all are measured. */
const DELTA_SAMPLE = 8;

const mins = new Float64Array(UNITS);
const maxs = new Float64Array(UNITS);
/** Bits of the integers from each unit on as a frame of their own. */
const restBits = new Float64Array(UNITS);

/**
 * Bounds of the integers that were measured last. Those of the deltas are infinite when the deltas are not narrower.
 */
export const measured = { min: 0, max: 0, minDelta: 0, maxDelta: 0 };

/** Measures `count` (1 to `LAST_BLOCK_VALUES`) integers. */
export function measureIntegers(integers: Float64Array, count: number): void {
  let min = integers[0];
  let max = min;
  for (let i = 1; i < count; i++) {
    const value = integers[i];
    if (value < min) min = value;
    if (value > max) max = value;
  }
  measured.min = min;
  measured.max = max;
  measured.minDelta = Number.NEGATIVE_INFINITY;
  measured.maxDelta = Number.POSITIVE_INFINITY;
  const range = max - min;
  if (count > 1 && range > 0 && measureDeltas(integers, Math.min(count, DELTA_SAMPLE), range)) {
    measureDeltas(integers, count, range);
  }
}

/**
 * Measures the deltas of the first `count` integers; keeps the result and returns true only if they span less than
 * `range`.
 */
function measureDeltas(integers: Float64Array, count: number, range: number): boolean {
  let before = integers[0];
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < count; i++) {
    const value = integers[i];
    const delta = value - before;
    before = value;
    if (delta < min) min = delta;
    if (delta > max) max = delta;
  }
  const narrower = max - min < range;
  measured.minDelta = narrower ? min : Number.NEGATIVE_INFINITY;
  measured.maxDelta = narrower ? max : Number.POSITIVE_INFINITY;
  return narrower;
}

/**
 * How many of the `count` integers that were measured last the block should have: fewer than all when two frames, cut
 * at that place, need fewer bits. That is the case where one metric ends and another begins.
 */
export function cutPoint(integers: Float64Array, count: number): number {
  const frameWidth = bitWidth(measured.max - measured.min);
  if (count <= UNIT || frameWidth === 0) return count;
  // Consecutive integers without a jump are of one series.
  if (measured.maxDelta - measured.minDelta < 2 ** (frameWidth - 1)) return count;
  const narrow = (measured.max - measured.min) / NARROW_END;
  if (rangeOf(integers, 0, END_VALUES) > narrow && rangeOf(integers, count - END_VALUES, count) > narrow) return count;
  const units = measureUnits(integers, count);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let unit = units - 1; unit > 0; unit--) {
    if (mins[unit] < min) min = mins[unit];
    if (maxs[unit] > max) max = maxs[unit];
    restBits[unit] = (count - unit * UNIT) * bitWidth(max - min);
  }
  let best = count * frameWidth - CUT_COST_BITS;
  let cut = 0;
  min = mins[0];
  max = maxs[0];
  for (let unit = 1; unit < units; unit++) {
    const bits = unit * UNIT * bitWidth(max - min) + restBits[unit];
    if (bits < best) {
      best = bits;
      cut = unit;
    }
    if (mins[unit] < min) min = mins[unit];
    if (maxs[unit] > max) max = maxs[unit];
  }
  return cut === 0 ? count : moved(integers, count, cut);
}

/** Bounds of the integers of the last `rangeOf`. */
const bounds = { min: 0, max: 0 };

function rangeOf(integers: Float64Array, from: number, to: number): number {
  let min = integers[from];
  let max = min;
  for (let i = from + 1; i < to; i++) {
    const value = integers[i];
    if (value < min) min = value;
    if (value > max) max = value;
  }
  bounds.min = min;
  bounds.max = max;
  return max - min;
}

/** Fills `mins` and `maxs`; returns the number of units. */
function measureUnits(integers: Float64Array, count: number): number {
  let unit = 0;
  for (let at = 0; at < count; unit++) {
    const end = Math.min(count, at + UNIT);
    let min = integers[at];
    let max = min;
    for (; at < end; at++) {
      const value = integers[at];
      if (value < min) min = value;
      if (value > max) max = value;
    }
    mins[unit] = min;
    maxs[unit] = max;
  }
  return unit;
}

/** Moves the cut from the start of a unit into the wider side, as far as integers there fit the narrower side. */
function moved(integers: Float64Array, count: number, cut: number): number {
  let at = cut * UNIT;
  const before = 2 ** bitWidth(rangeOf(integers, 0, at));
  const after = 2 ** bitWidth(rangeOf(integers, at, count));
  if (before < after) {
    rangeOf(integers, 0, at);
    const { min, max } = bounds;
    while (at < count - 1 && integers[at] < min + before && integers[at] > max - before) at++;
  } else {
    const { min, max } = bounds;
    while (at > 1 && integers[at - 1] < min + after && integers[at - 1] > max - after) at--;
  }
  return at;
}
