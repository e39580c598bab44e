import { LoopMonitor, processMemory, threadMemory } from '@tidemark/node-runtime';
import type { Clock } from '@tidemark/ports';
import type { ProcessHealth } from './process-health.ts';

/** Measures the delay and the memory of the calling thread as `main` from now on, for the health of its process. */
export function watchMainThread(
  health: Pick<ProcessHealth, 'watchMemory' | 'watchThreads'>,
  clock: Clock,
  started: { add(stop: () => Promise<void>): void },
): void {
  const loop = new LoopMonitor(clock);
  loop.start();
  started.add(async () => loop.stop());
  health.watchThreads(() => [{ thread: 'main', ...loop.delay }]);
  health.watchMemory(() => [
    { holder: 'process', parts: processMemory() },
    { holder: 'main', parts: threadMemory() },
  ]);
}
