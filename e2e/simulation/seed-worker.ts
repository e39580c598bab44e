import { parentPort } from 'node:worker_threads';
import { assert } from '@tidemark/ports';
import { SABOTAGES } from '../sabotage/sabotages.ts';
import { runSeed } from './run-seed.ts';
import type { SeedTask } from './seed-pool.ts';
import { HONEST } from './wiring.ts';

const port = parentPort;
assert(port !== null, 'started by the seed pool');

port.on('message', async ({ seed, sabotage }: SeedTask) => {
  const wiring = sabotage === undefined ? HONEST : SABOTAGES.find(({ name }) => name === sabotage)?.wiring();
  assert(wiring !== undefined, `no sabotage is named ${sabotage}`);
  const result = await runSeed(seed, wiring);
  // A trace is long, and a replay of the seed gives it again.
  port.postMessage({ ...result, trace: '' });
});
