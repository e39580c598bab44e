import { CRC_POLYNOMIAL } from '@tidemark/bytes';
import { multiply, ONE, power, timesX } from './crc-field.ts';

/** Bits that one step of the search covers. */
const STEP_BITS = 65_536;
/** Slots of the table, a power of two: half of them are used. */
const SLOTS = 2 * STEP_BITS;
/** x to the power of this is 1: the polynomial is one of degree 1 and a primitive one of degree 31. */
const ORDER = 2 ** 31 - 1;

/** Divides by x to the power of `STEP_BITS`. */
const BACK = power(ONE >>> 1, ORDER - STEP_BITS);

/** Changes of a checksum by each of the last bits of a body, and their distances to its end. */
interface Changes {
  readonly changes: Int32Array;
  readonly distances: Uint16Array;
}

let known: Changes | undefined;

/** Steps of a search in a body of so many bits. */
export function stepsOf(bits: number): number {
  return Math.ceil(bits / STEP_BITS);
}

/**
 * The bit of a body of `bits` bits whose flip changes its checksum by `difference`. A checksum is linear, so the change depends
 * on the distance to the end alone: it is the polynomial times x to that power. The search is for that power (baby-step
 * giant-step): a table has the first ones, and each step divides by x to the power of the table's size.
 */
export function flippedBit(difference: number, bits: number): number | undefined {
  known ??= changesOfLastBits();
  let change = difference | 0;
  for (let step = 0; step < stepsOf(bits); step++) {
    const distance = distanceOf(known, change);
    if (distance !== undefined) {
      const bit = bits - 1 - step * STEP_BITS - distance;
      return bit < 0 ? undefined : bit;
    }
    change = multiply(BACK, change);
  }
  return undefined;
}

function changesOfLastBits(): Changes {
  const changes = new Int32Array(SLOTS);
  const distances = new Uint16Array(SLOTS);
  let change = CRC_POLYNOMIAL | 0;
  for (let distance = 0; distance < STEP_BITS; distance++) {
    let slot = slotOf(change);
    while (changes[slot] !== 0) slot = (slot + 1) % SLOTS;
    changes[slot] = change;
    distances[slot] = distance;
    change = timesX(change) | 0;
  }
  return { changes, distances };
}

function distanceOf({ changes, distances }: Changes, change: number): number | undefined {
  for (let slot = slotOf(change); changes[slot] !== 0; slot = (slot + 1) % SLOTS) {
    if (changes[slot] === change) return distances[slot];
  }
  return undefined;
}

/** A multiplicative hash, since neighbours differ by a shift. */
function slotOf(change: number): number {
  return Math.imul(change, 0x9e3779b1) >>> 15;
}
