import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tidemark/ports';
import type { WorkerTask } from './fuzz-pool.ts';
import { runTarget } from './run-target.ts';
import { RunningInput } from './running-input.ts';
import { targetNamed } from './targets/index.ts';

const port = parentPort;
assert(port !== null, 'started by the fuzz pool');
const { name, plan, begunMs, shared } = workerData as WorkerTask;
// What the thread took to load belongs to its time: on a busy machine that is seconds. All threads have one time origin.
const forMs = Math.max(0, plan.forMs - (performance.now() - begunMs));
port.postMessage(await runTarget(targetNamed(name), { ...plan, forMs }, new RunningInput(shared)));
