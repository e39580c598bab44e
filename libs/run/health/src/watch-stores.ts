import type { Events, Topic } from '@tidemark/ports';
import type { ProblemCause } from './problem.ts';
import type { ProcessHealth } from './process-health.ts';

interface RestoredSnapshot {
  readonly id: string;
  readonly offset: number;
  readonly createdMs: number;
}

/** Returns listeners for store threads that report the state of the stores to the process's health and its log. */
export function watchStores(health: Pick<ProcessHealth, 'report'>, events: Events) {
  return {
    onHalted: (topic: Topic, partition: number, offset: number, reason: string): void => {
      const part = `${topic}/${partition}`;
      health.report('halt', part, { code: 'data_loss', message: reason });
      events.error(`${part} is halted${offset < 0 ? '' : ` at offset ${offset}`}`, { reason });
    },
    onRebuilding: (topic: Topic, partition: number, reason: string, aside: string): void => {
      // It stays until the process ends: the damage has passed, but its disk has not.
      const message = `moved to ${aside} of the data folder: ${reason}`;
      health.report('rebuilt', `${topic}/${partition}`, { code: 'data_loss', message });
      events.error(`the store of ${topic}/${partition} is built again from the log`, { reason, movedTo: aside });
    },
    onRestored: (topic: Topic, partition: number, snapshot: RestoredSnapshot, reason: string): void => {
      const part = `${topic}/${partition}`;
      const message = `restored from the snapshot ${snapshot.id}: ${reason}`;
      // It stays until the process ends: the damage has passed, but its disk has not.
      health.report('rebuilt', part, { code: 'data_loss', message });
      events.error(`the store of ${part} is restored from a snapshot`, { reason, ...snapshot });
    },
    onLoss: (topic: Topic, partition: number, message: string | undefined): void => {
      const part = `${topic}/${partition}`;
      health.report('damage', part, message === undefined ? undefined : { code: 'data_loss', message });
      if (message !== undefined) events.error(`the store of ${part} has a damaged database`, { reason: message });
    },
    onRereading: (topic: Topic, partition: number, offset: number, reason: string): void => {
      events.error(
        `the database of ${topic}/${partition} is damaged; its store reads the log again from ${offset} on`,
        {
          reason,
        },
      );
    },
    onResumed: (topic: Topic, partition: number): void => {
      const part = `${topic}/${partition}`;
      health.report('halt', part, undefined);
      events.info(`${part} continues`);
    },
    onProblem: (topic: Topic, partition: number, problem: ProblemCause | undefined): void => {
      const part = `${topic}/${partition}`;
      health.report('store', part, problem);
      if (problem === undefined) events.info(`the store of ${part} works again`);
      else events.error(`the store of ${part} fails and retries`, { reason: problem.message });
    },
    onBug: (read: string, stack: string): void => events.error(`internal error in ${read}`, { stack }),
    onFailed: events.fatal,
  };
}
