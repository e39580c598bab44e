import { Worker } from 'node:worker_threads';
import { messageOf } from '@tidemark/ports';
import type { FuzzPlan, FuzzResult } from './run-target.ts';
import { RunningInput } from './running-input.ts';
import type { FuzzTarget } from './target.ts';

/** Seed and time of each target. A function shares out what is left when a target begins, among so many, in so many threads. */
export interface PoolPlan {
  readonly seed: number;
  readonly forMs: (left: number, threads: number) => number;
}

/** What a thread gets. */
export interface WorkerTask {
  readonly name: string;
  readonly plan: FuzzPlan;
  /** When the thread was started, ms of `performance.now`. */
  readonly begunMs: number;
  /** Of a `RunningInput`. */
  readonly shared: SharedArrayBuffer;
}

/** Time of one input, or of one comparison of costs, after which it counts as endless, ms. */
const HANG_MS = 30_000;
const POLL_MS = 250;
const MAX_INPUT_BYTES = 1024 * 1024;
/** Heap of a thread, MiB. */
const HEAP_MIB = 1024;

/**
 * Runs targets in threads, `threads` at a time. Those that run whole platforms have another thread: they mostly wait. Calls
 * `done` with each result.
 */
export async function fuzzAll(
  targets: readonly FuzzTarget[],
  { seed, forMs }: PoolPlan,
  threads: number,
  done: (result: FuzzResult) => void,
): Promise<void> {
  const work = async (left: string[], workers: number): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      done(await fuzzInThread(name, { seed, forMs: forMs(left.length + 1, workers) }));
    }
  };
  const parsers = targets.filter(({ isRemote }) => isRemote !== true).map(({ name }) => name);
  const listeners = targets.filter(({ isRemote }) => isRemote === true).map(({ name }) => name);
  await Promise.all([...Array.from({ length: threads }, () => work(parsers, threads)), work(listeners, 1)]);
}

/** Runs a target in a thread. An input that does not end, or that ends the thread, is its finding. */
function fuzzInThread(name: string, plan: FuzzPlan): Promise<FuzzResult> {
  const running = RunningInput.ofSize(MAX_INPUT_BYTES);
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: { name, plan, begunMs: performance.now(), shared: running.shared } satisfies WorkerTask,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  return new Promise((resolve) => {
    let last: { readonly run: number | undefined; readonly sinceMs: number } = { run: undefined, sinceMs: 0 };
    const end = (result: FuzzResult): void => {
      clearInterval(timer);
      worker.terminate().finally(() => resolve(result));
    };
    const fail = (message: string): void => {
      end({ target: name, runs: 0, fresh: [], findings: [{ target: name, message, input: running.input }] });
    };
    const timer = setInterval(() => {
      const { run } = running;
      const nowMs = performance.now();
      if (run === undefined || run !== last.run) last = { run, sinceMs: nowMs };
      else if (nowMs - last.sinceMs > HANG_MS) fail(`an input does not end within ${HANG_MS} ms`);
    }, POLL_MS);
    worker.on('error', (error) => fail(`the thread ended: ${messageOf(error)}`));
    worker.on('message', end);
  });
}
