import type { CheckSink } from '@tidemark/checks';

/** A partition of a Kafka topic, as the cluster's metadata describes it. */
export interface KafkaPartition {
  readonly topic: string;
  readonly partition: number;
  /** Node of the leader; -1 when there is none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** The cluster's state, as one broker reports it. */
export interface ClusterState {
  readonly id: string;
  readonly controller: number;
  /** Brokers that are alive. */
  readonly brokers: readonly number[];
  readonly topics: ReadonlyMap<string, readonly KafkaPartition[]>;
}

/** The first and the next offset of a partition, where its leader reported them. */
export interface PartitionOffsets {
  readonly beginning?: number;
  readonly end?: number;
}

/** The committed offset of a group in a partition. */
export interface CommittedOffset {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Partitions by name, `topic/partition`. */
export type OffsetsByPartition = ReadonlyMap<string, PartitionOffsets>;

export function partitionName({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

/** Returns the first `limit` partitions in the order of topic names, so that each run selects the same ones. */
export function partitionsWithin({ topics }: ClusterState, limit: number): readonly KafkaPartition[] {
  const all = [...topics.keys()].sort().flatMap((topic) => topics.get(topic) ?? []);
  return all.slice(0, limit);
}

/** Reports sums over the whole cluster, under the names of Datadog's agent. */
export function reportCluster(state: ClusterState, sink: CheckSink, tags: readonly string[]): void {
  const all = [...state.topics.values()].flat();
  sink.gauge('kafka.broker.count', state.brokers.length, tags);
  sink.gauge('kafka.cluster.controller_id', state.controller, tags);
  sink.gauge('kafka.topic.count', state.topics.size, tags);
  sink.gauge('kafka.replication.under_replicated_partitions', all.filter(isUnderReplicated).length, tags);
  sink.gauge('kafka.replication.offline_partitions_count', all.filter(isOffline).length, tags);
  for (const broker of state.brokers) {
    const own = [...tags, `broker_id:${broker}`];
    sink.gauge('kafka.broker.leader_count', all.filter(({ leader }) => leader === broker).length, own);
    sink.gauge('kafka.broker.partition_count', all.filter(({ replicas }) => replicas.includes(broker)).length, own);
  }
}

/** Reports each partition. */
export function reportPartitions(
  partitions: readonly KafkaPartition[],
  offsets: OffsetsByPartition,
  sink: CheckSink,
  tags: readonly string[],
): void {
  for (const one of partitions) {
    const own = [...tags, `topic:${one.topic}`, `partition:${one.partition}`];
    sink.gauge('kafka.partition.replicas', one.replicas.length, own);
    sink.gauge('kafka.partition.isr', one.inSync.length, own);
    sink.gauge('kafka.partition.under_replicated', isUnderReplicated(one) ? 1 : 0, own);
    sink.gauge('kafka.partition.offline', isOffline(one) ? 1 : 0, own);
    const { beginning, end } = offsets.get(partitionName(one)) ?? {};
    if (beginning !== undefined) sink.gauge('kafka.partition.beginning_offset', beginning, own);
    if (end !== undefined) sink.gauge('kafka.broker_offset', end, own);
    if (beginning !== undefined && end !== undefined) sink.gauge('kafka.partition.size', end - beginning, own);
  }
}

/**
 * Reports offsets and lag of groups in partitions whose end is known, at most `limit` of them. Returns how many were
 * beyond the limit.
 */
export function reportGroups(
  committed: readonly CommittedOffset[],
  offsets: OffsetsByPartition,
  limit: number,
  sink: CheckSink,
  tags: readonly string[],
): number {
  let reported = 0;
  for (const one of committed) {
    const end = offsets.get(partitionName(one))?.end;
    if (end === undefined || ++reported > limit) continue;
    const own = [...tags, `consumer_group:${one.group}`, `topic:${one.topic}`, `partition:${one.partition}`];
    sink.gauge('kafka.consumer_offset', one.offset, own);
    // A group may have committed since the end was read, and a topic may have been recreated.
    sink.gauge('kafka.consumer_lag', Math.max(0, end - one.offset), own);
  }
  return Math.max(0, reported - limit);
}

function isOffline({ leader }: KafkaPartition): boolean {
  return leader < 0;
}

function isUnderReplicated({ replicas, inSync }: KafkaPartition): boolean {
  return inSync.length < replicas.length;
}
