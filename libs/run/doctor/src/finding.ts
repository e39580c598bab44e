/**
 * `broken`: points or answers wait. `degraded`: they will wait, or a spare is gone. `note`: information, not a fault.
 */
export type Severity = 'broken' | 'degraded' | 'note';

/** The kinds of findings, causes before their consequences: the order within a severity. */
export const FINDING_KINDS = [
  'kafka',
  'topics',
  'disk-full',
  'disk-fails',
  'process-silent',
  'process-refuses',
  'clock-off',
  'log-ahead',
  'partition-halted',
  'coordinator',
  'control',
  'control-lost',
  'process-not-ready',
  'replica-differs',
  'store-fails',
  'log-full',
  'lane-stalled',
  'intake-refuses',
  'session-dead',
  'no-lane',
  'part-unanswered',
  'thread-late',
  'store-lags',
  'replica-behind',
  'trim',
  'no-snapshot',
  'not-archived',
  'agent-behind',
  'agent-lost',
  'server-closed',
  'check-fails',
  'late-points',
  'over-budget',
  'database-rebuilt',
  'spool-damaged',
  'data-refused',
  'datagrams-dropped',
  'gauges-signed',
  'data-left-out',
  'gap',
  'session-fenced',
  'log-set-back',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** A problem that exists now, with its texts for an operator. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** What is wrong, in one sentence. */
  readonly what: string;
  /** Since when, ms since the Unix epoch; undefined when unknown. */
  readonly sinceMs: number | undefined;
  /** What it means for points and answers. */
  readonly means: string;
  /** What to do next: a command, or what to check. */
  readonly next: string;
}

/** Returns the place of the runbook of a kind of finding, relative to the root of the project. */
export function runbookOf(kind: FindingKind): string {
  return `docs/operations/doctor.md#${RUNBOOKS[kind]}`;
}

const RUNBOOKS: Readonly<Record<FindingKind, string>> = {
  kafka: 'kafka-cant-be-reached',
  topics: 'a-topic-has-wrong-settings',
  'disk-full': 'a-disk-is-full',
  'disk-fails': 'a-disk-does-not-work',
  'process-silent': 'a-process-does-not-answer',
  'process-refuses': 'a-process-does-not-report-its-health',
  'clock-off': 'a-clock-is-off',
  'log-ahead': 'the-clock-was-set-back',
  'log-set-back': 'the-clock-was-set-back',
  coordinator: 'the-coordinator-cant-decide',
  control: 'the-coordinator-cant-decide',
  'control-lost': 'records-of-control-are-lost',
  'process-not-ready': 'a-process-is-not-ready',
  'partition-halted': 'a-partition-is-halted',
  'replica-differs': 'replicas-differ',
  'store-fails': 'a-store-fails-and-retries',
  'log-full': 'the-log-accepts-nothing',
  'lane-stalled': 'the-log-accepts-nothing',
  'intake-refuses': 'an-intake-accepts-no-points',
  'session-dead': 'a-session-is-dead',
  'no-lane': 'no-lane-is-open',
  'part-unanswered': 'a-process-does-not-answer',
  'thread-late': 'a-thread-is-late',
  'store-lags': 'a-store-lags',
  'replica-behind': 'a-store-lags',
  trim: 'the-log-is-not-trimmed',
  'no-snapshot': 'no-snapshot-is-made',
  'not-archived': 'a-day-is-not-archived',
  'agent-behind': 'agents-are-behind',
  'agent-lost': 'agents-are-behind',
  'server-closed': 'dogstatsd-is-not-listening',
  'check-fails': 'a-check-or-a-scrape-fails',
  'late-points': 'points-are-late',
  'over-budget': 'a-budget-is-used-up',
  'database-rebuilt': 'a-database-was-rebuilt',
  'spool-damaged': 'a-spool-was-damaged',
  'data-refused': 'data-was-refused',
  'datagrams-dropped': 'datagrams-were-dropped',
  'gauges-signed': 'gauges-with-a-sign',
  'data-left-out': 'data-was-refused',
  gap: 'a-gap',
  'session-fenced': 'a-session-is-dead',
};

const SEVERITIES: readonly Severity[] = ['broken', 'degraded', 'note'];

/** Orders findings: the most severe first, then causes before consequences, then the older first. */
export function byWeight(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind) ||
    (a.sinceMs ?? Number.POSITIVE_INFINITY) - (b.sinceMs ?? Number.POSITIVE_INFINITY) ||
    (a.what < b.what ? -1 : 1)
  );
}
