import { enableCompileCache, flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tidemark/ports';
import type { StoreThreadStart } from './store-messages.ts';

// The beginning of a store thread: what the process has compiled once, its threads need not compile again. That takes
// half of the time of their start.
const { compileCache, options } = workerData as StoreThreadStart;
if (compileCache !== undefined) enableCompileCache(compileCache);
assert(parentPort !== null, 'a store thread is started by the platform');
const { StoreWorker } = await import('./store-worker.ts');
await StoreWorker.start(parentPort, options);
// Now: at the end of the thread it would hold up whoever stops it.
if (compileCache !== undefined) flushCompileCache();
