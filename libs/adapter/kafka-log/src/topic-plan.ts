import type { Topic } from '@tidemark/ports';
import { RECORD_OVERHEAD_BYTES } from './record-batch.ts';

/** What the topics have to be like. */
export interface TopicPlan {
  /** Partitions of each topic that is needed; at least as many must be there. */
  readonly partitions: Readonly<Partial<Record<Topic, number>>>;
  /** Copies of each partition, at least. Default 3. */
  readonly replication?: number;
  /** Copies that must have a record before it is acknowledged, at least. Default 2. */
  readonly minInSync?: number;
  /**
   * Takes `minInSync` of 1: what is acknowledged is lost with one broker's disk. For development with one broker.
   */
  readonly allowsSingleCopy?: boolean;
  /** Largest value of a record, as in the limits of the log. */
  readonly recordBytes: number;
}

export const DEFAULT_REPLICATION = 3;
export const DEFAULT_MIN_IN_SYNC = 2;

/** One setting of a topic: what it is made with, and what is accepted. */
export interface WantedSetting {
  readonly key: string;
  readonly value: string;
  readonly isGood: (found: string) => boolean;
  readonly why: string;
}

/** The settings of every topic. */
export function wantedSettings(plan: TopicPlan): readonly WantedSetting[] {
  const minInSync = plan.minInSync ?? DEFAULT_MIN_IN_SYNC;
  const messageBytes = plan.recordBytes + RECORD_OVERHEAD_BYTES;
  const exactly = (key: string, value: string, why: string): WantedSetting => ({
    key,
    value,
    isGood: (found) => found === value,
    why,
  });
  return [
    {
      key: 'min.insync.replicas',
      value: String(minInSync),
      isGood: (found) => Number(found) >= minInSync,
      why: 'an acknowledged record must be on several disks',
    },
    exactly('cleanup.policy', 'delete', 'compaction drops records, and offsets are no longer dense'),
    exactly('retention.ms', '-1', 'stores decide what is not needed any more, never the age'),
    exactly('retention.bytes', '-1', 'stores decide what is not needed any more, never the size'),
    exactly('message.timestamp.type', 'LogAppendTime', 'the log tells when it took a record, to check clocks by it'),
    exactly('unclean.leader.election.enable', 'false', 'a replica that lags would become leader, and drop records'),
    {
      key: 'max.message.bytes',
      value: String(messageBytes),
      isGood: (found) => Number(found) >= messageBytes,
      why: `a record may have ${plan.recordBytes} bytes, and ${RECORD_OVERHEAD_BYTES} around it`,
    },
  ];
}

/** One thing that is wrong with a topic as the brokers have it. */
export interface TopicProblem {
  /** The topic's name in Kafka. */
  readonly topic: string;
  /** A setting's name in Kafka, or `partitions`, `replication`, `topic`. */
  readonly key: string;
  readonly found: string;
  readonly wanted: string;
  readonly why: string;
}

export function problemText({ topic, key, found, wanted, why }: TopicProblem): string {
  return `${topic}: ${key} is ${found}, ${wanted} is wanted: ${why}`;
}
