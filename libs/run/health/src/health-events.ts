import type { Events } from '@tidemark/ports';
import type { ProcessHealthOptions } from './process-health.ts';

/** Reports problems that begin and end, except those of partitions, which are reported as events of their own. */
export function healthEvents(events: Pick<Events, 'info' | 'error'>): NonNullable<ProcessHealthOptions['onChange']> {
  return (kind, part, cause) => {
    if (kind === 'store' || kind === 'halt' || kind === 'lane') return;
    const what = part === '' ? kind : `${kind} (${part})`;
    if (cause === undefined) events.info(`resolved: ${what}`);
    else events.error(`problem: ${what}`, { reason: cause.message });
  };
}
