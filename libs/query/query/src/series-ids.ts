import { ID_BYTES } from '@tidemark/model';

/** Returns true when two ascending lists of series ids have an id in common. */
export function sharesSeries(a: Uint8Array, b: Uint8Array): boolean {
  let i = 0;
  let k = 0;
  while (i < a.length && k < b.length) {
    const order = Buffer.compare(a.subarray(i, i + ID_BYTES), b.subarray(k, k + ID_BYTES));
    if (order === 0) return true;
    if (order < 0) i += ID_BYTES;
    else k += ID_BYTES;
  }
  return false;
}
