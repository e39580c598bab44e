import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { shareNoWrappers } from '@tidemark/executable';
import type { SeedResult } from './run-seed.ts';

export interface SeedTask {
  readonly seed: number;
  /** Name of a sabotage; absent for none. */
  readonly sabotage?: string;
}

/**
 * Plays seeds on all cores, each in one of a few threads. A free thread gets the next task from `next`, until there is
 * none.
 */
export async function playSeeds(
  next: () => SeedTask | undefined,
  done: (result: SeedResult, task: SeedTask) => void,
  threads = availableParallelism(),
): Promise<void> {
  shareNoWrappers();
  await Promise.all(Array.from({ length: threads }, () => playInThread(next, done)));
}

function playInThread(
  next: () => SeedTask | undefined,
  done: (result: SeedResult, task: SeedTask) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let task = next();
    if (task === undefined) {
      resolve();
      return;
    }
    const worker = new Worker(new URL('seed-worker.ts', import.meta.url));
    worker.on('error', reject);
    worker.on('message', (result: SeedResult) => {
      if (task !== undefined) done(result, task);
      task = next();
      if (task !== undefined) worker.postMessage(task);
      else worker.terminate().then(() => resolve(), reject);
    });
    worker.postMessage(task);
  });
}
