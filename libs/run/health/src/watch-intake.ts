import type { IntakeRunner } from '@tidemark/intake';
import type { ProblemCause } from './problem.ts';
import type { ProcessHealth } from './process-health.ts';
import { unavailable } from './unavailable.ts';

/** What of a session says whether it accepts points. */
type ReadinessOfSession = Pick<NonNullable<IntakeRunner['session']>, 'isReady' | 'problem' | 'laneProblems'>;

/** Returns why an intake does not accept points yet, or any longer; undefined while it does. */
export function intakeNotReady(
  intake: { readonly session: ReadinessOfSession | undefined } | undefined,
): string | undefined {
  const session = intake?.session;
  if (session?.isReady === true) return undefined;
  const known = [session?.problem, laneProblem(session)].filter((problem) => problem !== undefined);
  return known.length === 0 ? 'the intake is opening its lanes' : known.join('; ');
}

/** Returns the problem of the first lane that has one, and how many have. */
function laneProblem(session: ReadinessOfSession | undefined): string | undefined {
  const [first, ...others] = session?.laneProblems() ?? [];
  if (first === undefined) return undefined;
  const count = others.length === 0 ? '1 partition' : `${1 + others.length} partitions`;
  return `the intake can't append to ${count}: points/${first[0]}: ${first[1].message}`;
}

/** Adds checks of an intake: its session, its clock, its lanes. */
export function watchIntake(health: ProcessHealth, intake: Pick<IntakeRunner, 'session'>): void {
  health.watch('clock', () => {
    const { session } = intake;
    return session !== undefined && hasClockProblem(session) ? unavailable(session.problem) : undefined;
  });
  health.watch('intake', () => {
    const { session } = intake;
    if (session === undefined) return unavailable('no session is open: the last one ended and the next has not begun');
    return hasClockProblem(session) ? undefined : unavailable(session.problem);
  });
  health.watchParts('lane', () => {
    const lanes = intake.session?.laneProblems() ?? new Map<number, ProblemCause>();
    return new Map([...lanes].map(([partition, cause]) => [`points/${partition}`, cause]));
  });
}

function hasClockProblem({ isClockOff, isLogAhead }: NonNullable<IntakeRunner['session']>): boolean {
  return isClockOff || isLogAhead;
}
