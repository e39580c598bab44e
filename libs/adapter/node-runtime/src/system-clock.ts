import type { Clock, Timer } from '@tidemark/ports';

/** The longest delay of Node's timers; longer ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clock of this machine. Its timers do not keep the process alive. */
export class SystemClock implements Clock {
  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, task: () => void): Timer {
    let handle: NodeJS.Timeout;
    const arm = (restMs: number): void => {
      const stepMs = Math.min(Math.max(restMs, 0), MAX_TIMER_MS);
      handle = setTimeout(() => (restMs > stepMs ? arm(restMs - stepMs) : task()), stepMs);
      handle.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  }
}
