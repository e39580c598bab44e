/**
 * Copies the first `length` elements of `from` into `to`, the array that replaces a full one, and returns it. The
 * caller creates it, so that its type stays known; tests: `share.test.ts`.
 */
export function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T, length: number): T {
  to.set(from.subarray(0, length));
  return to;
}

/** The new capacity of parallel arrays that need space for `wanted` elements: at least twice the old one. */
export function grownCapacity(wanted: number, capacity: number): number {
  return Math.max(wanted, capacity * 2);
}
