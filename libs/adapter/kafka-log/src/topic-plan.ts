import type { Topic } from '@tidemark/ports';
import { RECORD_OVERHEAD_BYTES } from './record-batch.ts';

/** The requirements on the topics. */
export interface TopicPlan {
  /** Minimum number of partitions of each required topic. */
  readonly partitions: Readonly<Partial<Record<Topic, number>>>;
  /** Minimum number of replicas of each partition. Default 3. */
  readonly replication?: number;
  /** Minimum number of replicas that must have a record before it is acknowledged. Default 2. */
  readonly minInSync?: number;
  /**
   * Accepts `minInSync` of 1: an acknowledged record may be lost with one broker's disk. For development with one
   * broker.
   */
  readonly allowsSingleCopy?: boolean;
  /** Largest value of a record, bytes, as in the limits of the log. */
  readonly recordBytes: number;
}

export const DEFAULT_REPLICATION = 3;
export const DEFAULT_MIN_IN_SYNC = 2;

/** One setting of a topic: the value for new topics, and the check of existing ones. */
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
    exactly('retention.ms', '-1', 'records are deleted once no consumer needs them, never by age'),
    exactly('retention.bytes', '-1', 'records are deleted once no consumer needs them, never by size'),
    exactly(
      'message.timestamp.type',
      'LogAppendTime',
      'clocks are checked against the append time that the log reports',
    ),
    exactly(
      'unclean.leader.election.enable',
      'false',
      'a replica that lags would become leader, and acknowledged records would be lost',
    ),
    {
      key: 'max.message.bytes',
      value: String(messageBytes),
      isGood: (found) => Number(found) >= messageBytes,
      why: `a record may have ${plan.recordBytes} bytes and an overhead of ${RECORD_OVERHEAD_BYTES} bytes`,
    },
  ];
}

/** One difference between a topic of the brokers and its requirements. */
export interface TopicProblem {
  /** The topic's name in Kafka. */
  readonly topic: string;
  /** The name of a setting in Kafka, or `partitions`, `replication`, `topic`. */
  readonly key: string;
  readonly found: string;
  readonly wanted: string;
  readonly why: string;
}

export function problemText({ topic, key, found, wanted, why }: TopicProblem): string {
  return `${topic}: ${key} is ${found}, expected ${wanted}: ${why}`;
}
