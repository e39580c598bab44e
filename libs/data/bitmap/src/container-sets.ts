import { ARRAY, ARRAY_LIMIT, arrayContainer, BITS, type Container, containerOfWords, WORDS } from './container.ts';

/** Ratio of sizes from which on a search in the longer array is faster than a walk over it. */
const GALLOP_RATIO = 32;

/** The intersection, as a new container. */
export function andContainers(a: Container, b: Container): Container {
  if (a.form === ARRAY && b.form === ARRAY) {
    return a.size <= b.size ? andArrays(a, b) : andArrays(b, a);
  }
  if (a.form === ARRAY) return filterArray(a, b, true);
  if (b.form === ARRAY) return filterArray(b, a, true);
  const words = wordsOf(a);
  const other = b.form === BITS ? b.words : wordsOf(b);
  for (let w = 0; w < WORDS; w++) words[w] &= other[w];
  return containerOfWords(words);
}

/** The union, as a new container. */
export function orContainers(a: Container, b: Container): Container {
  if (a.form === ARRAY && b.form === ARRAY && a.size + b.size <= ARRAY_LIMIT) return mergeArrays(a, b);
  const words = wordsOf(a);
  b.orInto(words);
  return containerOfWords(words);
}

/** The values of `a` that are not in `b`, as a new container. */
export function andNotContainers(a: Container, b: Container): Container {
  if (a.form === ARRAY) return filterArray(a, b, false);
  const words = wordsOf(a);
  if (b.form === ARRAY) {
    for (let i = 0; i < b.size; i++) words[b.values[i] >>> 5] &= ~(1 << (b.values[i] & 31));
  } else {
    const other = b.form === BITS ? b.words : wordsOf(b);
    for (let w = 0; w < WORDS; w++) words[w] &= ~other[w];
  }
  return containerOfWords(words);
}

function wordsOf(container: Container): Uint32Array {
  if (container.form === BITS) return container.words.slice();
  const words = new Uint32Array(WORDS);
  container.orInto(words);
  return words;
}

function andArrays(small: Container, large: Container): Container {
  if (small.size * GALLOP_RATIO < large.size) return filterArray(small, large, true);
  const out = new Uint16Array(small.size);
  let n = 0;
  let i = 0;
  let j = 0;
  while (i < small.size && j < large.size) {
    const left = small.values[i];
    const right = large.values[j];
    if (left === right) out[n++] = left;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return arrayContainer(out, n);
}

function mergeArrays(a: Container, b: Container): Container {
  const out = new Uint16Array(a.size + b.size);
  let n = 0;
  let i = 0;
  let j = 0;
  while (i < a.size || j < b.size) {
    const left = i < a.size ? a.values[i] : 0x10000;
    const right = j < b.size ? b.values[j] : 0x10000;
    out[n++] = Math.min(left, right);
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return arrayContainer(out, n);
}

/** The values of `array` that are in `other` when `keep` is set, else those that are not. */
function filterArray(array: Container, other: Container, keep: boolean): Container {
  const out = new Uint16Array(array.size);
  let n = 0;
  for (let i = 0; i < array.size; i++) {
    const value = array.values[i];
    if (other.has(value) === keep) out[n++] = value;
  }
  return arrayContainer(out, n);
}
