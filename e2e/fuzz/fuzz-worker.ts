import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tidemark/ports';
import type { WorkerReply, WorkerTask } from './fuzz-pool.ts';
import { runTarget } from './run-target.ts';
import { RunningInput } from './running-input.ts';
import { targetNamed } from './targets/index.ts';

const port = parentPort;
assert(port !== null, 'started by the fuzz pool');
const running = new RunningInput(workerData as SharedArrayBuffer);
const reply = (message: WorkerReply) => port.postMessage(message);
port.on('message', async ({ name, plan }: WorkerTask) => {
  reply({ result: await runTarget(targetNamed(name), plan, running) });
});
reply('loaded');
