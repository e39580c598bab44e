import type { TidemarkError } from '@tidemark/ports';

/** The kinds of problems; docs/operations/doctor.md has a section for each. */
export type ProblemKind =
  | 'clock'
  | 'intake'
  | 'lane'
  | 'store'
  | 'halt'
  | 'rebuilt'
  | 'control'
  | 'control-lost'
  | 'coordinator'
  | 'trim'
  | 'snapshot'
  | 'archive'
  | 'damage'
  | 'budget'
  | 'disk';

/** The cause that is reported of a problem: code and message of a `TidemarkError`. */
export type ProblemCause = Pick<TidemarkError, 'code' | 'message'>;
