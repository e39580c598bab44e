/** `broken`: points or answers wait. `degraded`: they will, or a spare is gone. `note`: to know, and no fault now. */
export type Severity = 'broken' | 'degraded' | 'note';

/** The kinds of findings, those that cause others first: so they come within a severity. */
export const FINDING_KINDS = [
  'kafka',
  'topics',
  'disk-full',
  'process-silent',
  'process-refuses',
  'clock-off',
  'coordinator',
  'control',
  'process-not-ready',
  'partition-halted',
  'replica-differs',
  'store-fails',
  'log-full',
  'lane-stalled',
  'intake-refuses',
  'session-dead',
  'no-lane',
  'part-unanswered',
  'store-lags',
  'replica-behind',
  'trim',
  'agent-behind',
  'agent-lost',
  'over-budget',
  'gap',
  'session-fenced',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** Something that is wrong now, for people. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** What is wrong, in one sentence. */
  readonly what: string;
  /** Since when, ms since the Unix epoch; undefined when nobody knows. */
  readonly sinceMs: number | undefined;
  /** What it means for points and answers. */
  readonly means: string;
  /** What to do next: a command, or what to look at. */
  readonly next: string;
}

/** Where the runbook of a kind of finding is, from the root of the project. */
export function runbookOf(kind: FindingKind): string {
  return `docs/operations/doctor.md#${RUNBOOKS[kind]}`;
}

const RUNBOOKS: Readonly<Record<FindingKind, string>> = {
  kafka: 'kafka-cant-be-reached',
  topics: 'a-topic-is-not-as-it-must-be',
  'disk-full': 'a-disk-is-full',
  'process-silent': 'a-process-does-not-answer',
  'process-refuses': 'a-process-does-not-tell',
  'clock-off': 'a-clock-is-off',
  coordinator: 'the-coordinator-cant-decide',
  control: 'the-coordinator-cant-decide',
  'process-not-ready': 'a-process-is-not-ready',
  'partition-halted': 'a-partition-is-halted',
  'replica-differs': 'replicas-differ',
  'store-fails': 'a-store-cant-go-on',
  'log-full': 'the-log-takes-nothing',
  'lane-stalled': 'the-log-takes-nothing',
  'intake-refuses': 'an-intake-takes-no-points',
  'session-dead': 'a-session-is-dead',
  'no-lane': 'no-lane-is-open',
  'part-unanswered': 'a-process-does-not-answer',
  'store-lags': 'a-store-lags',
  'replica-behind': 'a-store-lags',
  trim: 'the-log-is-not-trimmed',
  'agent-behind': 'agents-are-behind',
  'agent-lost': 'agents-are-behind',
  'over-budget': 'a-budget-is-used-up',
  gap: 'a-gap',
  'session-fenced': 'a-session-is-dead',
};

const SEVERITIES: readonly Severity[] = ['broken', 'degraded', 'note'];

/** The worst first; among equals, what causes the others, then what is older. */
export function byWeight(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind) ||
    (a.sinceMs ?? Number.POSITIVE_INFINITY) - (b.sinceMs ?? Number.POSITIVE_INFINITY) ||
    (a.what < b.what ? -1 : 1)
  );
}
