import { enableCompileCache, flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tidemark/ports';
import type { SnapshotThreadStart } from './snapshot-messages.ts';

// The entry point of a thread that makes snapshots.
const start = workerData as SnapshotThreadStart;
if (start.compileCache !== undefined) enableCompileCache(start.compileCache);
assert(parentPort !== null, 'a snapshot thread is started by the platform');
const { SnapshotWorker } = await import('./snapshot-worker.ts');
new SnapshotWorker(parentPort, start);
if (start.compileCache !== undefined) flushCompileCache();
