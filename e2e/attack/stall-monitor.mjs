// Preloaded into the platform (`--import`): writes the longest delay of its event loop since the last line, and since
// the start, ms, to the file that STALL_FILE names, once a second. It is measured by a timer: `monitorEventLoopDelay` loses
// the delay in which it is reset. Threads of their own, such as stores, are not measured.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const PROBE_MS = 10;
const LINE_MS = 1000;
const file = process.env.STALL_FILE;
if (isMainThread && file !== undefined) {
  let ms = 0;
  let worst = 0;
  let writtenMs = performance.now();
  const probe = (dueMs) => {
    const nowMs = performance.now();
    ms = Math.max(ms, nowMs - dueMs);
    worst = Math.max(worst, ms);
    if (nowMs - writtenMs >= LINE_MS) {
      appendFileSync(file, `${Date.now()} ${ms.toFixed(1)} ${worst.toFixed(1)}\n`);
      ms = 0;
      writtenMs = nowMs;
    }
    setTimeout(probe, PROBE_MS, performance.now() + PROBE_MS).unref();
  };
  probe(performance.now());
}
