import type { PipelineView } from './pipeline-view.ts';

/** As they are spoken of; `platform` is all of them in one process. */
export type ProcessKind =
  | 'platform'
  | 'coordinator'
  | 'intake'
  | 'query service'
  | 'point store'
  | 'tag store'
  | 'aggregator';

/** All that was seen at about one moment. */
export interface Observations {
  /** The clock of the one who looked. */
  readonly nowMs: number;
  readonly processes: readonly ProcessObservation[];
  /** What a query service says; undefined when none answered. */
  readonly pipeline: PipelineView | undefined;
  /** Why there is none. */
  readonly pipelineProblem: string | undefined;
  /** Undefined where the log is not Kafka. */
  readonly kafka: KafkaObservation | undefined;
}

/** A process that was asked, and what came of it. */
export interface ProcessObservation {
  readonly kind: ProcessKind;
  readonly address: string;
  /** Of a store: what it is to own. */
  readonly partitions: readonly number[];
  readonly answer: Answered | Unanswered;
}

export interface Answered {
  readonly state: 'answered';
  /** When it was asked and when the answer came, by the clock of the one who looked. */
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly health: HealthView;
}

export interface Unanswered {
  /** `silent`: nothing came in time, or no connection. `refused`: it does not tell this caller. */
  readonly state: 'silent' | 'refused';
  readonly reason: string;
}

/** What a process says of itself, as the contract has it. */
export interface HealthView {
  /** `intake 4711`. */
  readonly process: string;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly notReady: string;
  readonly problems: readonly ProblemView[];
  readonly volumes: readonly { readonly folder: string; readonly freeBytes: number; readonly totalBytes: number }[];
  readonly clients: readonly ClientView[];
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
  /** When it was lost; undefined while it is connected. */
  readonly lostMs?: number | undefined;
}

/** What the brokers said when they were asked. */
export interface KafkaObservation {
  /** As the settings name them. */
  readonly brokers: readonly string[];
  /** Those that don't answer, with the reason. */
  readonly unreachable: readonly { readonly broker: string; readonly reason: string }[];
  /** Why nothing at all could be learnt of the cluster; empty otherwise. */
  readonly problem: string;
  /** What is wrong with topics, a sentence each. */
  readonly topics: readonly string[];
}
