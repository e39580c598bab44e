import type { ProblemCause } from './problem.ts';

/** Returns the cause of a problem that has a message but no code; undefined without a message. */
export function unavailable(message: string | undefined): ProblemCause | undefined {
  return message === undefined ? undefined : { code: 'unavailable', message };
}
