import type { Events } from '@tidemark/ports';
import type { ProcessHealthOptions } from './process-health.ts';

/** Returns a listener that logs problems that begin and end, except those of partitions, which are logged elsewhere. */
export function healthEvents(events: Pick<Events, 'info' | 'error'>): NonNullable<ProcessHealthOptions['onChange']> {
  return (kind, part, cause) => {
    if (kind === 'store' || kind === 'halt' || kind === 'lane' || kind === 'rebuilt') return;
    const what = part === '' ? kind : `${kind} (${part})`;
    if (cause === undefined) events.info(`resolved: ${what}`);
    else events.error(`problem: ${what}`, { reason: cause.message });
  };
}
