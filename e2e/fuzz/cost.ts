import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Random } from '@tidemark/ports';
import { type Growth, growthInPlace, growthOf } from './growth.ts';
import { type FuzzTarget, Violation } from './target.ts';

const DEFAULT_GROWN_BYTES = 256 * 1024;
/** Ratio of the two input sizes whose costs are compared. */
const TIMES_LARGER = 4;
/** Up to this time, ms, a large input is cheap at any ratio. */
const CHEAP_MS = 30;
/** Linear cost takes 4 times as long for 4 times the bytes; caches and collections add to it. */
const MAX_RATIO = 10;
const DEFAULT_MS_PER_MEBIBYTE = 5000;
/** Below this time no input is slow, ms. */
const MIN_SLOW_MS = 250;
const REPETITIONS = 3;
/** Comparisons that must all fail: a collection of garbage may fall into one of them. */
const ROUNDS = 3;
const DEFAULT_BASE_BYTES = 32 * 1024 * 1024;
const BYTES_PER_INPUT_BYTE = 1000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Compares the cost of an input that repeats a part with that of one 4 times as long. Throws a violation. */
export async function checkCost(target: FuzzTarget, input: Buffer, random: Random): Promise<void> {
  const growth = target.growth ?? growthInPlace;
  await compareCosts(target, growth(input, random));
}

/** Compares the costs of each input that once cost too much. Throws a violation. */
export async function checkRepeats(target: FuzzTarget): Promise<void> {
  for (const [head, part, tail] of target.repeats ?? []) {
    const [from, to] = [Buffer.byteLength(head), Buffer.byteLength(head + part)];
    await compareCosts(target, growthOf(Buffer.from(head + part + tail), from, to));
  }
}

async function compareCosts(target: FuzzTarget, growth: Growth): Promise<void> {
  const { maxGrownBytes = DEFAULT_GROWN_BYTES } = target;
  const large = growth.of(maxGrownBytes);
  const small = growth.of(maxGrownBytes / TIMES_LARGER);
  if ((await cpuMs(target, large)) <= CHEAP_MS || small.length >= large.length) return;
  let problem: string | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    problem = await costProblem(target, small, large);
    if (problem === undefined) return;
  }
  throw new Violation(`${problem}; ${growth.what}`);
}

async function costProblem(target: FuzzTarget, small: Buffer, large: Buffer): Promise<string | undefined> {
  let [smallMs, largeMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < REPETITIONS; i++) {
    smallMs = Math.min(smallMs, await cpuMs(target, small));
    largeMs = Math.min(largeMs, await cpuMs(target, large));
    if (largeMs <= CHEAP_MS) return undefined;
  }
  const sizes = `${largeMs.toFixed(1)} ms for ${large.length} bytes, ${smallMs.toFixed(1)} ms for ${small.length} bytes`;
  const { maxMsPerMebibyte } = target;
  const linear = (MAX_RATIO / TIMES_LARGER) * (large.length / small.length);
  if (maxMsPerMebibyte === undefined && largeMs > smallMs * linear) return `cost is not linear: ${sizes}`;
  const slowMs = (large.length / 2 ** 20) * (maxMsPerMebibyte ?? DEFAULT_MS_PER_MEBIBYTE);
  return largeMs > Math.max(MIN_SLOW_MS, slowMs) ? `slow: ${sizes}` : undefined;
}

/** Runs an input. Throws a violation when it allocated more memory than its size justifies. */
export async function runBounded(target: FuzzTarget, input: Buffer): Promise<void> {
  const before = heldBytes();
  const running = target.run(input);
  if (running !== undefined) await running;
  const limit = limitOf(target, input);
  if (heldBytes() - before <= limit) return;
  collectGarbage();
  const collected = heldBytes();
  await target.run(input);
  const allocated = heldBytes() - collected;
  if (allocated > limit) {
    throw new Violation(`${allocated} bytes of memory for an input of ${input.length} bytes (limit: ${limit} bytes)`);
  }
}

function limitOf({ baseBytes = DEFAULT_BASE_BYTES }: FuzzTarget, input: Buffer): number {
  return baseBytes + input.length * BYTES_PER_INPUT_BYTE;
}

function heldBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** CPU time of this thread, ms: other processes of the machine do not count. */
async function cpuMs(target: FuzzTarget, input: Buffer): Promise<number> {
  const began = process.threadCpuUsage();
  await target.run(Buffer.from(input));
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1000;
}
