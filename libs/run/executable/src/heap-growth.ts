import { setFlagsFromString } from 'node:v8';

/** Growth in percent of the size after the last full collection. */
const GROWTH_PERCENT = 200;

/**
 * Lets each thread's heap grow to three times what lived in it at the last full collection before the next one. V8
 * counts the bodies of requests and other typed arrays to a heap, and on its own lets a small one grow by some 8 MiB
 * only: an intake that lives in 30 MB would mark all of it several times a second (docs/performance.md).
 */
export function growHeapsFreely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
