import type { Events } from '@tidemark/ports';
import type { ProcessHealthOptions } from './process-health.ts';

/** Tells of problems that begin and end, but for those of partitions: they are told as events of their own. */
export function healthEvents(events: Pick<Events, 'info' | 'error'>): NonNullable<ProcessHealthOptions['onChange']> {
  return (kind, part, cause) => {
    if (kind === 'store' || kind === 'halt' || kind === 'lane') return;
    const what = part === '' ? kind : `${kind} (${part})`;
    if (cause === undefined) events.info(`over: a problem of ${what}`);
    else events.error(`a problem of ${what}`, { reason: cause.message });
  };
}
