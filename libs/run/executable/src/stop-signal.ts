import type { EventLog } from './event-log.ts';

const FORCED_EXIT_CODE = 130;

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function onStopSignal(log: EventLog): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (isStopping) {
          log.warn('stopped at once; the next start replays uncommitted records');
          process.exit(FORCED_EXIT_CODE);
        }
        isStopping = true;
        resolve();
      });
    }
  });
}
