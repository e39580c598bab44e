// Preloaded into the platform (`--import`): writes the longest delay of its event loop since the last line, and since
// the start, ms, to the file that STALL_FILE names, once a second. Threads of their own, such as stores, are not measured.
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env.STALL_FILE;
if (isMainThread && file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  let worst = 0;
  setInterval(() => {
    const ms = delays.max / 1e6;
    delays.reset();
    worst = Math.max(worst, ms);
    appendFileSync(file, `${Date.now()} ${ms.toFixed(1)} ${worst.toFixed(1)}\n`);
  }, 1000).unref();
}
