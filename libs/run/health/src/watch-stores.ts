import type { Events, Topic } from '@tidemark/ports';
import type { ProblemCause } from './problem.ts';
import type { ProcessHealth } from './process-health.ts';

/** Listeners for store threads that tell the process's health, and its log, what becomes of its stores. */
export function watchStores(health: Pick<ProcessHealth, 'tell'>, events: Events) {
  return {
    onHalted: (topic: Topic, partition: number, offset: number, reason: string): void => {
      const part = `${topic}/${partition}`;
      health.tell('halt', part, { code: 'data_loss', message: reason });
      events.error(`${part} is halted at offset ${offset}`, { reason });
    },
    onResumed: (topic: Topic, partition: number): void => {
      const part = `${topic}/${partition}`;
      health.tell('halt', part, undefined);
      events.info(`${part} goes on`);
    },
    onProblem: (topic: Topic, partition: number, problem: ProblemCause | undefined): void => {
      const part = `${topic}/${partition}`;
      health.tell('store', part, problem);
      if (problem === undefined) events.info(`the store of ${part} works again`);
      else events.error(`the store of ${part} can't go on, and tries again`, { reason: problem.message });
    },
    onBug: (read: string, stack: string): void => events.error(`${read} failed by a mistake in the store`, { stack }),
    onFailed: events.fatal,
  };
}
