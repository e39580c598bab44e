// Preloaded into the platform (`--import`): once a second it writes to the file that STALL_FILE names the time, the longest
// delay of its event loop since the last line, and the most CPU time that its thread used between two timers, ms. A delay of
// which the thread used little was caused by other programs. It is measured by a timer: `monitorEventLoopDelay` loses the delay
// in which it is reset. Threads of their own, such as stores, are not measured.
import { appendFile } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';

const PROBE_MS = 10;
const LINE_MS = 1000;
const file = process.env.STALL_FILE;
if (isMainThread && file !== undefined) {
  let ms = 0;
  let cpuMs = 0;
  let cpuBefore = process.threadCpuUsage();
  let writtenMs = performance.now();
  const probe = (dueMs) => {
    const nowMs = performance.now();
    ms = Math.max(ms, nowMs - dueMs);
    const cpu = process.threadCpuUsage(cpuBefore);
    cpuMs = Math.max(cpuMs, (cpu.user + cpu.system) / 1000);
    cpuBefore = process.threadCpuUsage();
    if (nowMs - writtenMs >= LINE_MS) {
      // Not awaited, and not synchronous: a slow disk must not be measured as a delay.
      appendFile(file, `${Date.now()} ${ms.toFixed(1)} ${cpuMs.toFixed(1)}\n`);
      ms = 0;
      cpuMs = 0;
      writtenMs = nowMs;
    }
    setTimeout(probe, PROBE_MS, performance.now() + PROBE_MS).unref();
  };
  probe(performance.now());
}
