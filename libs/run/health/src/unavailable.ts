import type { ProblemCause } from './problem.ts';

/** The cause of a problem that is told in words alone. */
export function unavailable(message: string | undefined): ProblemCause | undefined {
  return message === undefined ? undefined : { code: 'unavailable', message };
}
