import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { shareNoWrappers } from '@tidemark/executable';
import { messageOf } from '@tidemark/ports';
import type { FuzzPlan, FuzzResult } from './run-target.ts';
import { RunningInput } from './running-input.ts';
import type { FuzzTarget } from './target.ts';

/** Seed and time of each target. A function shares out what is left when a target begins, among so many, in so many threads. */
export interface PoolPlan {
  readonly seed: number;
  readonly forMs: (left: number, threads: number) => number;
}

/** What a thread gets: one target. */
export interface WorkerTask {
  readonly name: string;
  readonly plan: FuzzPlan;
}

/** What a thread says: that it takes tasks, and how each ended. */
export type WorkerReply = 'loaded' | { readonly result: FuzzResult };

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
  shareNoWrappers();
  const work = async (left: string[], workers: number): Promise<void> => {
    let thread: FuzzThread | undefined;
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      thread ??= await FuzzThread.start();
      const result = await thread.run(name, { seed, forMs: forMs(left.length + 1, workers) });
      done(result);
      if (thread.isEnded) thread = undefined;
    }
    await thread?.end();
  };
  const parsers = targets.filter(({ isRemote }) => isRemote !== true).map(({ name }) => name);
  const listeners = targets.filter(({ isRemote }) => isRemote === true).map(({ name }) => name);
  await Promise.all([...Array.from({ length: threads }, () => work(parsers, threads)), work(listeners, 1)]);
}

/**
 * A thread that runs one target after the other: to load them all takes seconds on a busy machine. It ends with an input
 * that does not end, or that ends it: the input is the finding of its target.
 */
class FuzzThread {
  readonly #running = RunningInput.ofSize(MAX_INPUT_BYTES);
  readonly #worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: this.#running.shared,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  isEnded = false;

  /** Resolves when the targets are loaded. */
  static async start(): Promise<FuzzThread> {
    const thread = new FuzzThread();
    await once(thread.#worker, 'message');
    return thread;
  }

  async run(name: string, plan: FuzzPlan): Promise<FuzzResult> {
    const result = await this.#result(name, plan);
    if (this.isEnded) await this.end();
    return result;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #result(name: string, plan: FuzzPlan): Promise<FuzzResult> {
    const worker = this.#worker;
    return new Promise((resolve) => {
      let last: { readonly run: number | undefined; readonly sinceMs: number } = { run: undefined, sinceMs: 0 };
      const end = (result: FuzzResult): void => {
        clearInterval(timer);
        worker.off('error', onError).off('message', onReply);
        resolve(result);
      };
      const fail = (message: string): void => {
        this.isEnded = true;
        const findings = [{ target: name, message, input: this.#running.input }];
        end({ target: name, runs: 0, mutations: 0, fresh: [], findings });
      };
      const onError = (error: unknown) => fail(`the thread ended: ${messageOf(error)}`);
      const onReply = (reply: WorkerReply) => {
        if (reply !== 'loaded') end(reply.result);
      };
      const timer = setInterval(() => {
        const { run } = this.#running;
        const nowMs = performance.now();
        if (run === undefined || run !== last.run) last = { run, sinceMs: nowMs };
        else if (nowMs - last.sinceMs > HANG_MS) fail(`an input does not end within ${HANG_MS} ms`);
      }, POLL_MS);
      worker.on('error', onError).on('message', onReply);
      worker.postMessage({ name, plan } satisfies WorkerTask);
    });
  }
}
