/**
 * `to` with the first `length` elements of `from`: the array that replaces a full one. The caller makes it, so that its
 * type stays known; tests: `share.test.ts`.
 */
export function grown<T extends Uint32Array | Float64Array>(from: T, to: T, length: number): T {
  to.set(from.subarray(0, length));
  return to;
}

/** The capacity of parallel arrays that need room for `wanted` elements: at least twice what they had. */
export function grownCapacity(wanted: number, capacity: number): number {
  return Math.max(wanted, capacity * 2);
}
