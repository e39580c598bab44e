import { enableCompileCache, flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { StoreThreadStart } from './store-messages.ts';

// The beginning of a store thread: what the process has compiled once, its threads need not compile again. That takes
// half of the time of their start.
const { compileCache } = workerData as StoreThreadStart;
if (compileCache !== undefined) enableCompileCache(compileCache);
await import('./store-worker.ts');
// Now: at the end of the thread it would hold up whoever stops it.
if (compileCache !== undefined) flushCompileCache();
