import type { FindingKind, Severity } from './finding.ts';
import type { ProblemView } from './observations.ts';
import { counted, listed } from './words.ts';

/** How a finding about a problem of a process is worded; tests: `examine.test.ts`. */
export interface ProblemWords {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** Before the reason. */
  readonly what: (name: string, parts: readonly string[]) => string;
  readonly means: string;
  readonly next: string;
}

const NO_SPACE = 'df -h there, and free some space or move the data; it goes on by itself, no restart is needed';

const WORDS: ReadonlyMap<string, ProblemWords> = new Map([
  [
    'clock',
    {
      kind: 'clock-off',
      severity: 'broken',
      what: (name) => `the clock of ${name}, or of its log, is off`,
      means: 'it takes no points until the clocks agree within 1 s; its clients keep theirs and try again',
      next: 'timedatectl on its machine and on those of the brokers: NTP must run, and slew',
    },
  ],
  [
    'intake',
    {
      kind: 'intake-refuses',
      severity: 'broken',
      what: (name) => `${name} takes no points`,
      means: 'clients keep their points and try again, here or elsewhere; completeness waits for its lanes',
      next: 'see what else is found here: the log, or a disk; without a cause, restart that process',
    },
  ],
  [
    'control',
    {
      kind: 'control',
      severity: 'broken',
      what: (name) => `${name} can't read control`,
      means: 'fences, maps, keys and skips that are decided now are not known there',
      next: 'if the log is reachable and this stays, the record at that offset is damaged: restore control from a backup',
    },
  ],
  [
    'coordinator',
    {
      kind: 'coordinator',
      severity: 'broken',
      what: (name) => `the coordinator (${name}) can't decide`,
      means: 'points and queries go on; dead sessions are not fenced, so completeness stops when an intake dies',
      next: 'see what else is found here: the log or a disk; «another coordinator took over» means that two run: stop one',
    },
  ],
  [
    'trim',
    {
      kind: 'trim',
      severity: 'degraded',
      what: (name, parts) => `${name} can't let go of what all stores have in ${listed(parts) || 'the log'}`,
      means: 'nothing is wrong with answers; the log grows until its disk is full',
      next: 'tidemark doctor shows a disk that is nearly full; for Kafka, may the user delete records (ACL DELETE on topics)?',
    },
  ],
  [
    'budget',
    {
      kind: 'over-budget',
      severity: 'degraded',
      what: (_, parts) =>
        `${counted(parts.length, 'budget')} of series ${parts.length === 1 ? 'is' : 'are'} used up (${listed(parts)})`,
      means: 'new series are refused there with the reason series_over_budget; known ones go on',
      next: 'tidemark tags METRIC shows the tag with too many values; budgets.* raise the limit',
    },
  ],
]);

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

const DISK_FILLS: ProblemWords = {
  kind: 'disk-full',
  severity: 'degraded',
  what: (name) => `a disk of ${name} is nearly full`,
  means: 'when it is full, nothing more is taken or committed; nothing acknowledged is lost',
  next: NO_SPACE,
};

const DISK_FAILS: ProblemWords = {
  ...DISK_FILLS,
  severity: 'broken',
  what: (name) => `a disk of ${name} does not work`,
};

/** The words for a problem, by its kind and by whether something is full. */
export function wordsOf({ kind, code }: ProblemView): ProblemWords {
  const isFull = code === 'resource_exhausted';
  switch (kind) {
    case 'lane':
      return isFull ? LOG_FULL : LANE_STALLED;
    case 'store':
      return isFull ? { ...STORE_FAILS, kind: 'disk-full', next: NO_SPACE } : STORE_FAILS;
    case 'disk':
      return isFull ? DISK_FILLS : DISK_FAILS;
    default:
      return WORDS.get(kind) ?? unknownWords(kind);
  }
}

function unknownWords(kind: string): ProblemWords {
  return {
    kind: 'process-not-ready',
    severity: 'degraded',
    what: (name, parts) => `${name} reports «${kind}»${parts.length === 0 ? '' : ` of ${listed(parts)}`}`,
    means: 'this doctor is older than that process and does not know what it means',
    next: 'run the doctor of the same version',
  };
}
