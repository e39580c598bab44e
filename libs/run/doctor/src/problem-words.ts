import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import type { FindingKind, Severity } from './finding.ts';
import { counted, listed } from './format-values.ts';
import type { ProblemView } from './observations.ts';

/** The texts of a finding about a problem of a process; tests: `examine.test.ts`. */
export interface ProblemWords {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** Before the reason. */
  readonly what: (name: string, parts: readonly string[]) => string;
  readonly means: string;
  readonly next: string | ((parts: readonly string[]) => string);
}

const CHECK_DISK = 'check the disk (dmesg, SMART)';
const NO_SPACE = 'run df -h there, then free some space or move the data; work resumes by itself, no restart is needed';

const WORDS: ReadonlyMap<string, ProblemWords> = new Map([
  [
    'clock',
    {
      kind: 'clock-off',
      severity: 'broken',
      what: (name) => `the clock of ${name}, or of its log, is off`,
      means: 'it accepts no points until the clocks agree within 1 s; its clients keep their points and retry',
      next: 'run timedatectl on its machine and on those of the brokers: NTP must run, and slew',
    },
  ],
  [
    'intake',
    {
      kind: 'intake-refuses',
      severity: 'broken',
      what: (name) => `${name} accepts no points`,
      means: 'clients keep their points and retry, here or at another intake; completeness waits for its lanes',
      next: 'check the other findings: the log, or a disk; if none has the cause, restart that process',
    },
  ],
  [
    'control',
    {
      kind: 'control',
      severity: 'broken',
      what: (name) => `${name} can't read control`,
      means: 'new fences, maps, keys and skips do not reach it',
      next: 'if the log is reachable and this stays, the record at that offset is damaged: restore control from a backup',
    },
  ],
  [
    'rebuilt',
    {
      kind: 'database-rebuilt',
      severity: 'note',
      what: (name, parts) =>
        `${counted(parts.length, 'lost or damaged database')} of ${name} (${listed(parts)}) ${parts.length === 1 ? 'was' : 'were'} made again from the log or a snapshot`,
      means: 'nothing is lost; a disk that damages files may damage the next one where the log no longer has it',
      next: `${CHECK_DISK}; the folders *.damaged-* of the data folder may be deleted once the stores have caught up`,
    },
  ],
  [
    'control-lost',
    {
      kind: 'control-lost',
      severity: 'degraded',
      what: (name, parts) => `${name} passed lost records of control at ${listed(parts)}`,
      means: 'they are taken for renewals of sessions; a key, a revocation or a skip among them has no effect',
      next: ([first, ...others]) => {
        const skip = `${TIDEMARK_COMMAND} skip control 0 ${first.replace(/^offset /, '')} --reason WHY`;
        const more = others.length === 0 ? '' : ', and the same for each of the other offsets';
        return `check the keys, and repeat what is missing; then run ${skip}${more}`;
      },
    },
  ],
  [
    'coordinator',
    {
      kind: 'coordinator',
      severity: 'broken',
      what: (name) => `the coordinator (${name}) can't decide`,
      means: 'points and queries continue; dead sessions are not fenced, so completeness stops when an intake dies',
      next: 'check the other findings: the log, or a disk; "another coordinator took over" means that two run: stop one',
    },
  ],
  [
    'trim',
    {
      kind: 'trim',
      severity: 'degraded',
      what: (name, parts) =>
        `${name} can't trim ${listed(parts) || 'the log'}, although every store has committed these records`,
      means: 'answers are right; the log grows until its disk is full',
      next: `${TIDEMARK_COMMAND} doctor reports a disk that is nearly full; for Kafka, check that the user may delete records (ACL DELETE on topics)`,
    },
  ],
  [
    'snapshot',
    {
      kind: 'no-snapshot',
      severity: 'degraded',
      what: (name, parts) => `${name} can't make snapshots of ${listed(parts) || 'its stores'}`,
      means:
        'a disk that is lost now is restored from an older snapshot, or not at all; with snapshot.intervalMs above 0 the log is not trimmed meanwhile',
      next: `do what the reason says; for the object store, check its credentials and its space. It is tried again by itself; ${TIDEMARK_COMMAND} snapshot create tries at once`,
    },
  ],
  [
    'archive',
    {
      kind: 'not-archived',
      severity: 'degraded',
      what: (name, parts) => `${name} can't archive closed days of ${listed(parts)}`,
      means: 'answers are right while the stores have the points; they go with their retention, archived or not',
      next: 'do what the reason says; for the object store, check its credentials and its space. It is tried again by itself, each archive.intervalMs',
    },
  ],
  [
    'budget',
    {
      kind: 'over-budget',
      severity: 'degraded',
      what: (_, parts) =>
        `${counted(parts.length, 'series budget is', 'series budgets are')} used up (${listed(parts)})`,
      means: 'new series are refused there with the reason series_over_budget; known series are still accepted',
      next: 'run tidemark tags METRIC to find the tag with too many values, or raise budgets.*',
    },
  ],
]);

/** A database that is built again from a log that halts its partition. */
export const REBUILT_AND_HALTED: ProblemWords = {
  kind: 'database-rebuilt',
  severity: 'note',
  what: (name, parts) =>
    `${counted(parts.length, 'damaged database')} of ${name} (${listed(parts)}) can't be built again from the log, because it halts there`,
  means: 'the log is damaged, too; only the folder *.damaged-* may have what the log lost',
  next: `${CHECK_DISK}; keep the folders *.damaged-* of the data folder, and do what the finding of the halt says`,
};

const LOG_FULL: ProblemWords = {
  kind: 'log-full',
  severity: 'broken',
  what: (name, parts) =>
    `${name} can't append to ${counted(parts.length, 'partition')} (${listed(parts)}) because the log is full`,
  means: 'clients keep the points of these partitions and retry; completeness does not advance there',
  next: 'check that every store commits: a halted partition or an unreachable store keeps the log from being trimmed; resolve that first, or raise log.maxBytes, or free disk space',
};

const LOG_DISK_FULL: ProblemWords = {
  ...LOG_FULL,
  what: (name, parts) =>
    `${name} can't append to ${counted(parts.length, 'partition')} (${listed(parts)}) because the disk of the log is full`,
  next: NO_SPACE,
};

const LANE_STALLED: ProblemWords = {
  kind: 'lane-stalled',
  severity: 'broken',
  what: (name, parts) => `${name} can't append to ${counted(parts.length, 'partition')} (${listed(parts)})`,
  means: 'clients keep the points of these partitions and retry; completeness does not advance there',
  next: 'check the log: its disk, or its brokers',
};

const STORE_FAILS: ProblemWords = {
  kind: 'store-fails',
  severity: 'broken',
  what: (name, parts) => `the store of ${listed(parts)} in ${name} fails and retries`,
  means: 'newer records are in the log but not in answers; complete_through does not advance, and answers stay right',
  next: 'check its disk and the log; restart the process if its database reports that it accepts no more writes',
};

const DATABASE_DAMAGED: ProblemWords = {
  ...STORE_FAILS,
  what: (name, parts) => `a database of ${name} is damaged (${listed(parts)})`,
  means: 'questions that need what is damaged are errors; other answers are right',
  next: 'check its disk (dmesg), then do what the reason says',
};

const DISK_FILLS: ProblemWords = {
  kind: 'disk-full',
  severity: 'degraded',
  what: (name) => `a disk of ${name} is nearly full`,
  means: 'when it is full, nothing more is accepted or committed; nothing acknowledged is lost',
  next: NO_SPACE,
};

const DISK_FULL: ProblemWords = {
  ...DISK_FILLS,
  severity: 'broken',
  what: (name) => `a disk of ${name} is full`,
  means: 'nothing more is accepted or committed; nothing acknowledged is lost, and clients keep their points and retry',
};

const DISK_FAILS: ProblemWords = {
  ...DISK_FILLS,
  kind: 'disk-fails',
  severity: 'broken',
  what: (name) => `a disk of ${name} does not work`,
  means: 'nothing is accepted or committed there; clients keep their points and retry',
  next: 'check that the folder is still there, and its disk (dmesg); intake resumes when both are',
};

/** The system's names of errors of a disk without space. */
const NO_SPACE_LEFT = /\b(ENOSPC|EDQUOT)\b|no space left/i;
/** How a process reports a disk with less than 1 MiB. */
const NOTHING_FREE = /^0 MiB of /;

/** Returns the texts for a problem by its kind, and by whether a disk or log is full. */
export function wordsOf({ kind, code, reason }: ProblemView): ProblemWords {
  const isFull = code === 'resource_exhausted';
  switch (kind) {
    case 'lane':
      if (!isFull) return LANE_STALLED;
      return NO_SPACE_LEFT.test(reason) ? LOG_DISK_FULL : LOG_FULL;
    case 'damage':
      return DATABASE_DAMAGED;
    case 'store':
      if (code === 'data_loss') return DATABASE_DAMAGED;
      return isFull ? { ...STORE_FAILS, kind: 'disk-full', next: NO_SPACE } : STORE_FAILS;
    case 'disk':
      if (!isFull) return DISK_FAILS;
      return NOTHING_FREE.test(reason) ? DISK_FULL : DISK_FILLS;
    default:
      return WORDS.get(kind) ?? unknownWords(kind);
  }
}

function unknownWords(kind: string): ProblemWords {
  return {
    kind: 'process-not-ready',
    severity: 'degraded',
    what: (name, parts) => `${name} reports "${kind}"${parts.length === 0 ? '' : ` of ${listed(parts)}`}`,
    means: 'this doctor is older than that process and does not know this kind of problem',
    next: 'run the doctor of the same version',
  };
}
