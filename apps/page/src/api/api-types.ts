import type { SentUnit } from '../format/sent-unit.ts';

/** One line of a graph: step starts (ms) with values, ascending. */
export interface AnswerSeries {
  readonly metric: string;
  readonly expression: string;
  readonly scope: string;
  readonly tags: readonly string[];
  readonly intervalMs: number;
  readonly points: readonly (readonly [number, number | null])[];
  /** Of the points, from the first on: their steps are complete. The others may still change. */
  readonly completeSteps: number;
  /** The unit of the values; undefined when the answer states none. */
  readonly unit: SentUnit | undefined;
}

/** A part that could not answer: `points/3`. */
export interface PartError {
  readonly part: string;
  readonly code: string;
  readonly message: string;
}

/** Records that were skipped or can't be decoded. */
export interface Gap {
  /** `points` or `tags`. */
  readonly topic: string;
  readonly partition: number;
  /** Of the first of them. */
  readonly offset: number;
  readonly records: number;
  readonly reason: string;
}

export interface QueryAnswer {
  readonly series: readonly AnswerSeries[];
  /** Everything with a timestamp before this (ms) is in the answer; undefined when nothing is known to be complete. */
  readonly completeThroughMs: number | undefined;
  readonly errors: readonly PartError[];
  readonly gaps: readonly Gap[];
  readonly notes: readonly string[];
}

export interface MetricInfo {
  readonly metric: string;
  readonly classes: readonly string[];
  /** The kinds that its series are most probably of. */
  readonly kinds: readonly string[];
  readonly series: number;
}

export interface MetricList {
  readonly metrics: readonly MetricInfo[];
  /** True when there may be more metrics than listed. */
  readonly isCut: boolean;
}

export interface TagKey {
  readonly key: string;
  /** Number of all values and series, not only of those in `top`. */
  readonly values: number;
  readonly series: number;
  readonly top: readonly { readonly value: string; readonly series: number }[];
}

export interface LaneStatus {
  readonly session: string;
  readonly lane: number;
  readonly open: boolean;
  readonly markMs: number;
  readonly sequence: number;
}

export interface ClientStatus {
  readonly clientSession: string;
  readonly tenant: string;
  readonly floor: number;
  readonly highestSequence: number;
  readonly frontierMs: number | undefined;
  readonly latePoints: number;
}

/** How far a store has read the log of a partition. */
export interface PartitionStatus {
  readonly partition: number;
  readonly offset: number;
  readonly committedOffset: number;
  readonly logNext: number;
  readonly gaps: readonly Gap[];
  /** Why the partition has halted; empty when it has not. */
  readonly halted: string;
  readonly haltedOffset: number;
}

export interface PointPartitionStatus extends PartitionStatus {
  /** None when the caller is not an operator. */
  readonly memory: readonly MemoryPart[];
  readonly watermarkMs: number | undefined;
  /** The same of what the tag store has the series of. */
  readonly coveredWatermarkMs: number | undefined;
  readonly lanes: readonly LaneStatus[];
  readonly clients: readonly ClientStatus[];
  readonly series: number;
  readonly points: number;
  readonly latePoints: number;
  readonly duplicatePoints: number;
}

export interface TagPartitionStatus extends PartitionStatus {
  /** None when the caller is not an operator. */
  readonly memory: readonly MemoryPart[];
  readonly series: number;
  readonly metrics: number;
}

/** Data that was refused, dropped or left out for one reason. */
export interface RefusedData {
  /** `rejected`, `violation`, `left_out` or `client`, as in the contract. */
  readonly stage: string;
  /** The client that refused it itself, for `client`. */
  readonly client: string;
  readonly reason: string;
  readonly count: number;
  /** Empty when none is known. */
  readonly example: string;
  /** From when on it is counted, ms; undefined for what a client counts, from its start on. */
  readonly sinceMs: number | undefined;
  /** When the last one was counted, ms. */
  readonly lastMs: number | undefined;
}

/** A check, a scrape target or a server of an agent. */
export interface ClientSource {
  readonly client: string;
  readonly name: string;
  /** Why it does not work; empty while it works. */
  readonly problem: string;
  /** Since when it does not work, ms; 0 while it works. */
  readonly sinceMs: number;
}

export interface SessionStatus {
  readonly session: string;
  readonly process: string;
  /** `open`, `fenced` or `closed`. */
  readonly state: string;
  readonly renewedMs: number;
  /** Why the counts below are unknown: the intake did not report them. Empty when they are known. */
  readonly unknownReason: string;
  readonly streams: number;
  readonly queuedBytes: number;
  readonly rejectedPoints: Readonly<Record<string, number>>;
  readonly refused: readonly RefusedData[];
  /** What agents read from and listen on. */
  readonly sources: readonly ClientSource[];
  /** Names of the connected clients, by client session in hex. */
  readonly clientNames: Readonly<Record<string, string>>;
  /** Names of clients that were connected before, by client session in hex. */
  readonly formerClientNames: Readonly<Record<string, string>>;
}

export interface PipelineStatus {
  readonly points: readonly PointPartitionStatus[];
  readonly tags: readonly TagPartitionStatus[];
  readonly sessions: readonly SessionStatus[];
  /** How long after its timestamp a point may reach an intake and still count as on time, ms. */
  readonly latenessMs: number;
  /** The server's clock. */
  readonly nowMs: number;
  readonly errors: readonly PartError[];
  readonly mapEpoch: number;
  /** False when the caller is not an operator: then the status has only what concerns its tenant. */
  readonly forOperator: boolean;
  /** Threads of the process that answered; none when the caller is not an operator. */
  readonly threads: readonly ThreadDelay[];
  /** Memory of that process and its threads; none when the caller is not an operator. */
  readonly memory: readonly HeldMemory[];
}

/** What a part takes in memory. */
export interface MemoryPart {
  readonly part: string;
  readonly bytes: number;
}

/** The memory of the process, a thread or a partition. */
export interface HeldMemory {
  readonly holder: string;
  readonly parts: readonly MemoryPart[];
}

/** How late the timers of a thread fired, ms. */
export interface ThreadDelay {
  readonly thread: string;
  readonly windowMaxMs: number;
  readonly windowP99Ms: number;
  readonly maxMs: number;
  readonly p99Ms: number;
  /** When the longest delay ended, ms since the Unix epoch; undefined before any. */
  readonly maxAtMs: number | undefined;
  /** The longest delay of the last 5 minutes that is reported; undefined without one. */
  readonly lateMs: number | undefined;
  readonly lateAtMs: number | undefined;
}
