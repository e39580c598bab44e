import type { ProblemCause } from './process-condition.ts';

/** The cause of a problem that is told in words alone. */
export function unavailable(message: string | undefined): ProblemCause | undefined {
  return message === undefined ? undefined : { code: 'unavailable', message };
}
