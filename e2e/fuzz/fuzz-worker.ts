import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tidemark/ports';
import { type FuzzPlan, runTarget } from './run-target.ts';
import { RunningInput } from './running-input.ts';
import { targetNamed } from './targets/index.ts';

const port = parentPort;
assert(port !== null, 'started by the fuzz pool');
const { name, plan, shared } = workerData as { name: string; plan: FuzzPlan; shared: SharedArrayBuffer };
port.postMessage(await runTarget(targetNamed(name), plan, new RunningInput(shared)));
