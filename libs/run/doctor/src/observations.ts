import type { PipelineView } from './pipeline-view.ts';

/** Kinds of processes, as messages name them; `platform` is all of them in one process. */
export type ProcessKind =
  | 'platform'
  | 'coordinator'
  | 'intake'
  | 'query service'
  | 'point store'
  | 'tag store'
  | 'aggregator';

/** Everything that the doctor observed, at about one moment. */
export interface Observations {
  /** The doctor's clock. */
  readonly nowMs: number;
  readonly processes: readonly ProcessObservation[];
  /** The status that a query service gave; undefined when none answered. */
  readonly pipeline: PipelineView | undefined;
  /** Why `pipeline` is undefined. */
  readonly pipelineProblem: string | undefined;
  /** Undefined where the log is not Kafka. */
  readonly kafka: KafkaObservation | undefined;
}

/** A process, and its answer to the doctor's request. */
export interface ProcessObservation {
  readonly kind: ProcessKind;
  readonly address: string;
  /** Of a store: the partitions that the settings give it. */
  readonly partitions: readonly number[];
  readonly answer: Answered | Unanswered;
}

export interface Answered {
  readonly state: 'answered';
  /** When the request was sent and when the answer came, by the doctor's clock. */
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly health: HealthView;
}

export interface Unanswered {
  /** `silent`: no answer in time, or no connection. `refused`: it does not report its health to this caller. */
  readonly state: 'silent' | 'refused';
  readonly reason: string;
}

/** The health that a process reports, as the contract has it. */
export interface HealthView {
  /** `intake 4711`. */
  readonly process: string;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly notReady: string;
  readonly problems: readonly ProblemView[];
  readonly volumes: readonly { readonly folder: string; readonly freeBytes: number; readonly totalBytes: number }[];
  readonly clients: readonly ClientView[];
  readonly threads: readonly ThreadView[];
}

export interface ThreadView {
  /** `main`, `stores 0`, `agent`. */
  readonly thread: string;
  /** The longest delay and the 99th percentile of the last whole window of 10 s. */
  readonly windowMaxMs: number;
  readonly windowP99Ms: number;
  /** The longest delay of the last 5 minutes that is reported, and when it ended; undefined without one. */
  readonly lateMs?: number | undefined;
  readonly lateAtMs?: number | undefined;
}

export interface ProblemView {
  readonly kind: string;
  readonly part: string;
  readonly code: string;
  readonly reason: string;
  readonly sinceMs: number;
}

export interface ClientView {
  readonly clientSession: string;
  readonly tenant: string;
  readonly name: string;
  readonly frontierMs?: number | undefined;
  readonly batches: number;
  readonly firstBatchMs: number;
  readonly lastBatchMs: number;
  /** The time between two flushes that its program chose; undefined when the client derives it from D. */
  readonly flushIntervalMs?: number | undefined;
  /** When it was lost; undefined while it is connected. */
  readonly lostMs?: number | undefined;
}

/** The answers of the brokers. */
export interface KafkaObservation {
  /** As the settings name them. */
  readonly brokers: readonly string[];
  /** Those that don't answer, with the reason. */
  readonly unreachable: readonly { readonly broker: string; readonly reason: string }[];
  /** Why the state of the cluster is unknown; empty otherwise. */
  readonly problem: string;
  /** What is wrong with topics, a sentence each. */
  readonly topics: readonly string[];
}
