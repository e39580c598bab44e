import type { TidemarkError } from '@tidemark/ports';

/** The kinds of problems; docs/operations/doctor.md has a page for each. */
export type ProblemKind =
  | 'clock'
  | 'intake'
  | 'lane'
  | 'store'
  | 'halt'
  | 'control'
  | 'coordinator'
  | 'trim'
  | 'budget'
  | 'disk';

/** What is told of a problem: of a TidemarkError, its code and message. */
export type ProblemCause = Pick<TidemarkError, 'code' | 'message'>;
