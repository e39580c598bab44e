import { limitError } from '@tidemark/ports';
import { DDSketch } from './ddsketch.ts';
import { MAX_COUNT } from './sketch-limits.ts';

/**
 * A sketch as Datadog's agents send it: counts by key, and a summary of the values. Keys of negative values are
 * negative, key 0 has the values nearer to zero than 1e-9. A key may occur more than once.
 */
export interface DatadogSketch {
  readonly keys: readonly number[];
  readonly counts: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

/**
 * Ratio of neighbouring keys of agents: key k has the magnitudes nearest to KEY_RATIO^(k - KEY_BIAS), by their
 * logarithms, so its values are within √KEY_RATIO of that magnitude.
 */
const KEY_RATIO = 1 + 2 / 128;
/** Keys begin at 1, with the highest power of KEY_RATIO that is not above 1e-9. */
const KEY_BIAS = 1 - Math.floor(Math.log(1e-9) / Math.log(KEY_RATIO));
/** The next key has infinite values. */
const MAX_KEY = 32_766;

/** Relative difference that the sum's own rounding may cause. */
const SUM_SLACK = 1e-6;

/**
 * Relative error of a value between an agent and the quantiles of a converted sketch with the default accuracy: half a
 * key of the agent's (0.78%), then a bucket of this package (1%).
 */
export const DATADOG_SKETCH_ERROR = Math.sqrt(KEY_RATIO) * 1.01 - 1;

/**
 * Converts a sketch of Datadog's agents to the default accuracy. Quantiles are within DATADOG_SKETCH_ERROR of the
 * agent's values. The count is the sum of the counts by key. Min, max and sum are those of the summary where they are
 * possible for the keys; otherwise they follow from the keys.
 *
 * Throws `invalid_argument` for lists of different lengths, an empty sketch, an infinite key, and a count that is not a
 * whole number.
 */
export function fromDatadogSketch({ keys, counts, min, max, sum }: DatadogSketch): DDSketch {
  const buckets = bucketsOf(keys, counts);
  const sketch = new DDSketch();
  const [first, last] = [buckets[0], buckets[buckets.length - 1]];
  const low = isExtreme(min, standInOf(first[0])) ? min : Number.NEGATIVE_INFINITY;
  const high = isExtreme(-max, -standInOf(last[0])) ? max : Number.POSITIVE_INFINITY;
  // One value of each outermost key is the stated extreme, and no other value is beyond it.
  takeValue(sketch, first, low);
  takeValue(sketch, last, high);
  for (const [key, count] of buckets) {
    if (count > 0) sketch.insert(Math.max(low, Math.min(high, standInOf(key))), count);
  }
  if (isPossibleSum(sketch, sum)) sketch.restateSum(sum);
  return sketch;
}

type Bucket = [key: number, count: number];

/** Returns buckets by ascending key, each key once, without empty ones. */
function bucketsOf(keys: readonly number[], counts: readonly number[]): Bucket[] {
  if (keys.length !== counts.length)
    throw limitError('n', `${counts.length} counts`, `${keys.length}, one for each key`);
  const byKey = new Map<number, number>();
  let total = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const count = counts[i];
    if (!(Math.abs(key) <= MAX_KEY)) throw limitError('k', `key ${key}`, `-${MAX_KEY} to ${MAX_KEY}, which are finite`);
    if (!(Number.isInteger(count) && count >= 0)) throw limitError('n', `count ${count}`, 'a whole number, 0 or more');
    total += count;
    if (count > 0) byKey.set(key, (byKey.get(key) ?? 0) + count);
  }
  if (total === 0) throw limitError('n', 'a sketch without values', 'at least 1 value');
  if (total > MAX_COUNT) throw limitError('n', `${total} values`, MAX_COUNT);
  return [...byKey].sort(([a], [b]) => a - b);
}

/** Representative value of a key, with the lowest relative distance to all values of the key. */
function standInOf(key: number): number {
  if (key === 0) return 0;
  const magnitude = KEY_RATIO ** (Math.abs(key) - KEY_BIAS);
  return key < 0 ? -magnitude : magnitude;
}

/** Returns true for a lowest value that the lowest key, or a key below it that was collapsed into it, can have. */
function isExtreme(min: number, lowest: number): boolean {
  return Number.isFinite(min) && min <= lowest + Math.abs(lowest) * (Math.sqrt(KEY_RATIO) - 1) + ZERO_BELOW;
}

/** Values of key 0 are nearer to zero than this. */
const ZERO_BELOW = 1e-9;

function takeValue(sketch: DDSketch, bucket: Bucket, value: number): void {
  if (bucket[1] === 0 || !Number.isFinite(value)) return;
  bucket[1]--;
  sketch.insert(value);
}

function isPossibleSum({ min, max, count }: DDSketch, sum: number): boolean {
  const slack = Math.max(Math.abs(min), Math.abs(max)) * count * SUM_SLACK;
  return Number.isFinite(sum) && sum >= min * count - slack && sum <= max * count + slack;
}
