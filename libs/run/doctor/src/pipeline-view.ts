/** The part of a query service's status that the doctor judges, as the contract has it, with ids in hex. */
export interface PipelineView {
  readonly points: readonly PointPartitionView[];
  readonly tags: readonly TagPartitionView[];
  readonly sessions: readonly SessionView[];
  /** How long after its timestamp a point may reach an intake and still count as on time, ms. */
  readonly latenessMs: number;
  /** The clock of the query service. */
  readonly nowMs: number;
  readonly errors: readonly PartErrorView[];
  /** The times at which the log's clock was set back, the oldest first. */
  readonly eras?: readonly EraView[];
  /** Where partitions have replicas: all that are known, and those whose states differ. */
  readonly replicas?: readonly ReplicaView[];
  readonly divergences?: readonly DivergenceView[];
  /** False when the caller is not an operator: then lanes and offsets of partitions, and processes, are withheld. */
  readonly forOperator?: boolean;
}

/** An era of the log's time: it began when the clock, which had been ahead, was set back. */
export interface EraView {
  /** Time at which it began, and how far the clock had been ahead, ms. */
  readonly startMs: number;
  readonly aheadMs: number;
}

/** How far a store has read its partition of the log. */
export interface ReadingView {
  readonly partition: number;
  /** Next offset to apply. */
  readonly offset: number;
  readonly logNext: number;
  /** Why the partition has halted; empty when it has not. */
  readonly halted: string;
  readonly haltedOffset: number;
  readonly gaps: readonly GapView[];
}

export interface PointPartitionView extends ReadingView {
  readonly watermarkMs?: number | undefined;
  /** The same of what the tag store has the series of; undefined where nothing is known to be covered. */
  readonly coveredWatermarkMs?: number | undefined;
  readonly lanes: readonly LaneView[];
  /** Points of each client that were late in this partition. */
  readonly clients?: readonly { readonly clientSession: string; readonly latePoints: number }[];
}

export type TagPartitionView = ReadingView;

export interface LaneView {
  readonly session: string;
  readonly lane: number;
  readonly open: boolean;
  readonly markMs: number;
}

export interface SessionView {
  readonly session: string;
  readonly process: string;
  /** `open`, `fenced` or `closed`. */
  readonly state: string;
  readonly renewedMs: number;
  /** Names of those that send to it now, by client session: clients, and the HTTP requests of a tenant. */
  readonly clientNames?: Readonly<Record<string, string>>;
  readonly refused?: readonly RefusedView[];
  readonly sources?: readonly SourceView[];
}

/** Data that was refused, dropped or left out for one reason. */
export interface RefusedView {
  /** `rejected`, `violation`, `left_out` or `client`, as in the contract. */
  readonly stage: string;
  /** The client that refused it itself. */
  readonly client: string;
  readonly reason: string;
  readonly count: number;
  readonly example: string;
  /** From when on it is counted, ms; undefined or 0 when it is not known. */
  readonly sinceMs?: number | undefined;
  readonly lastMs?: number | undefined;
}

/** A check, a scrape target or a server of a client. */
export interface SourceView {
  readonly client: string;
  readonly name: string;
  /** Why it does not work; empty while it works. */
  readonly problem: string;
  /** Since when it does not work, by the client's clock, ms; 0 while it works. */
  readonly sinceMs: number;
}

export interface ReplicaView {
  readonly topic: string;
  readonly partition: number;
  /** Address of its process. */
  readonly process: string;
  /** `live`, `lost` or `unknown`. */
  readonly state: string;
  readonly seenMs?: number | undefined;
  /** As its process reported it last. */
  readonly position?: { readonly offset: number; readonly halted: string; readonly haltedOffset: number } | undefined;
}

/** Replicas with different state at the same checkpoint. */
export interface DivergenceView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Hex; empty when the replica has none. */
  readonly hashes: readonly { readonly process: string; readonly hash: string }[];
  readonly foundMs: number;
}

/** A part that could not answer: `points/3`. */
export interface PartErrorView {
  readonly part: string;
  readonly message: string;
}

/** A record that was skipped. */
export interface GapView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}
