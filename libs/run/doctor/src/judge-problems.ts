import type { Finding, FindingKind, Severity } from './finding.ts';
import type { Observations, ProblemView, ProcessObservation } from './observations.ts';
import { counted, listed } from './words.ts';

/** What a process says of itself: one finding for all parts of a process that have the same problem. */
export function judgeProblems({ processes }: Observations): Finding[] {
  return processes.flatMap((process) => {
    if (process.answer.state !== 'answered') return [];
    const groups = new Map<string, ProblemView[]>();
    for (const problem of process.answer.health.problems) {
      // Halts are told with their offsets, by the status of the partitions.
      if (problem.kind === 'halt') continue;
      const key = `${problem.kind} ${problem.code}`;
      groups.set(key, [...(groups.get(key) ?? []), problem]);
    }
    return [...groups.values()].map((problems) => findingOf(problems, process));
  });
}

interface ProblemWords {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** Before the reason. */
  readonly what: (name: string, parts: readonly string[]) => string;
  readonly means: string;
  readonly next: string;
}

function findingOf(problems: readonly ProblemView[], { kind, address, answer }: ProcessObservation): Finding {
  const process = answer.state === 'answered' ? answer.health.process : address;
  const oldest = problems.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
  const words = wordsOf(oldest);
  const parts = problems.map(({ part }) => part).filter((part) => part !== '');
  const name = kind === 'platform' ? process : `${process} at ${address}`;
  return {
    kind: words.kind,
    severity: words.severity,
    what: `${words.what(name, parts)}: ${oldest.reason}`,
    sinceMs: oldest.sinceMs,
    means: words.means,
    next: words.next,
  };
}

const NO_SPACE = 'df -h there, and free some space or move the data; it goes on by itself, no restart is needed';

function wordsOf({ kind, code }: ProblemView): ProblemWords {
  const isFull = code === 'resource_exhausted';
  switch (kind) {
    case 'clock':
      return {
        kind: 'clock-off',
        severity: 'broken',
        what: (name) => `the clock of ${name}, or of its log, is off`,
        means: 'it takes no points until the clocks agree within 1 s; its clients keep theirs and try again',
        next: 'timedatectl on its machine and on those of the brokers: NTP must run, and slew',
      };
    case 'intake':
      return {
        kind: 'intake-refuses',
        severity: 'broken',
        what: (name) => `${name} takes no points`,
        means: 'clients keep their points and try again, here or elsewhere; completeness waits for its lanes',
        next: 'see what else is found here: the log, or a disk; without a cause, restart that process',
      };
    case 'lane':
      return isFull ? LOG_FULL : LANE_STALLED;
    case 'store':
      return isFull ? { ...STORE_FAILS, kind: 'disk-full', next: NO_SPACE } : STORE_FAILS;
    case 'control':
      return {
        kind: 'control',
        severity: 'broken',
        what: (name) => `${name} can't read control`,
        means: 'fences, maps, keys and skips that are decided now are not known there',
        next: 'if the log is reachable and this stays, the record at that offset is damaged: restore control from a backup',
      };
    case 'coordinator':
      return {
        kind: 'coordinator',
        severity: 'broken',
        what: (name) => `the coordinator (${name}) can't decide`,
        means: 'points and queries go on; dead sessions are not fenced, so completeness stops when an intake dies',
        next: 'see what else is found here: the log or a disk; «another coordinator took over» means that two run: stop one',
      };
    case 'trim':
      return {
        kind: 'trim',
        severity: 'degraded',
        what: (name, parts) => `${name} can't let go of what all stores have in ${listed(parts) || 'the log'}`,
        means: 'nothing is wrong with answers; the log grows until its disk is full',
        next: 'tidemark doctor shows a disk that is nearly full; for Kafka, may the user delete records (ACL DELETE on topics)?',
      };
    case 'budget':
      return {
        kind: 'over-budget',
        severity: 'degraded',
        what: (_, parts) =>
          `${counted(parts.length, 'budget')} of series ${parts.length === 1 ? 'is' : 'are'} used up (${listed(parts)})`,
        means: 'new series are refused there with the reason series_over_budget; known ones go on',
        next: 'tidemark tags METRIC shows the tag with too many values; budgets.* raise the limit',
      };
    case 'disk':
      return {
        kind: 'disk-full',
        severity: isFull ? 'degraded' : 'broken',
        what: (name) => (isFull ? `a disk of ${name} is nearly full` : `a disk of ${name} does not work`),
        means: 'when it is full, nothing more is taken or committed; nothing acknowledged is lost',
        next: NO_SPACE,
      };
    default:
      return {
        kind: 'process-not-ready',
        severity: 'degraded',
        what: (name, parts) => `${name} reports «${kind}»${parts.length === 0 ? '' : ` of ${listed(parts)}`}`,
        means: 'this doctor is older than that process and does not know what it means',
        next: 'run the doctor of the same version',
      };
  }
}

const LOG_FULL: ProblemWords = {
  kind: 'log-full',
  severity: 'broken',
  what: (name, parts) =>
    `${name} can't append to ${counted(parts.length, 'partition')} (${listed(parts)}), for the log is full`,
  means: 'clients keep the points of these partitions and try again; completeness stands still there',
  next: 'do the stores commit? a halted partition, or a store that is away, keeps its log; settle that first, or raise log.maxBytes, or free disk space',
};

const LANE_STALLED: ProblemWords = {
  kind: 'lane-stalled',
  severity: 'broken',
  what: (name, parts) => `${name} can't append to ${counted(parts.length, 'partition')} (${listed(parts)})`,
  means: 'clients keep the points of these partitions and try again; completeness stands still there',
  next: 'look at the log: its disk, or its brokers',
};

const STORE_FAILS: ProblemWords = {
  kind: 'store-fails',
  severity: 'broken',
  what: (name, parts) => `the store of ${listed(parts)} in ${name} can't go on, and tries again`,
  means: 'what came since is in the log and not in answers; complete_through stands still, and answers stay right',
  next: 'look at its disk and at the log; restart the process if its database says that it takes no more writes',
};
