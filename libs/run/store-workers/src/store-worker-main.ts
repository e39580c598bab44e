import { enableCompileCache, flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tidemark/ports';
import type { StoreWorkerStart } from './store-messages.ts';

// The entry point of a store thread. It uses the compile cache of the process, because compiling takes half of the time
// of a thread's start.
const { compileCache, options } = workerData as StoreWorkerStart;
if (compileCache !== undefined) enableCompileCache(compileCache);
assert(parentPort !== null, 'a store thread is started by the platform');
const { StoreWorker } = await import('./store-worker.ts');
await StoreWorker.start(parentPort, options);
// Flushed now, because at the end of the thread it would delay the stop.
if (compileCache !== undefined) flushCompileCache();
