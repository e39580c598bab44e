// The entry point of the agent's thread.
import { enableCompileCache, flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { assert, isTidemarkError } from '@tidemark/ports';
import type { AgentStart, FromAgent } from './agent-messages.ts';

const STATUS_MS = 1000;

const { settings, place, compileCache } = workerData as AgentStart;
if (compileCache !== undefined) enableCompileCache(compileCache);
assert(parentPort !== null, 'the thread of the agent is started by the platform');
const port = parentPort;
const { HostAgent } = await import('@tidemark/host-agent');
const { LOCAL_HOST_FILES, SystemClock, SystemRandom, threadMemory } = await import('@tidemark/node-runtime');
try {
  const agent = await HostAgent.start(settings, {
    ...place,
    clock: new SystemClock(),
    random: new SystemRandom(),
    files: LOCAL_HOST_FILES,
    onProblem: (message, detail) => post({ type: 'problem', message, detail }),
  });
  const postStatus = (): void => post({ type: 'status', status: agent.status, memory: threadMemory() });
  postStatus();
  post({ type: 'ready', dogstatsd: agent.dogstatsd });
  const timer = setInterval(postStatus, STATUS_MS);
  port.once('message', async () => {
    clearInterval(timer);
    await agent.stop();
    port.close();
  });
} catch (error) {
  if (!isTidemarkError(error)) throw error;
  const { code, message, detail } = error;
  post({ type: 'refused', code, message, detail });
}
if (compileCache !== undefined) flushCompileCache();

function post(message: FromAgent): void {
  port.postMessage(message);
}
