import type { PositionsReply, ReplicaDivergence, ReplicaStatus } from '@tidemark/contract';
import type { MethodOf, PartitionMethod, StoreReader } from './store-methods.ts';

/** Reads one partition of a tag store, for queries. */
export type TagStoreReader = StoreReader<'tags', MethodOf<'tags', 'anyReplica'>>;

/** Reads one partition of a point store, for queries. */
export type PointStoreReader = StoreReader<'points', MethodOf<'points', 'anyReplica'>>;

/** Counts series of one partition of a tag store: for budgets, not for queries. */
export type SeriesCounter = StoreReader<'tags', 'seriesCounts'>;

/** Hashes the state of one partition of a point store: for comparing replicas, not for queries. */
export type PointStateHasher = StoreReader<'points', 'stateHash'>;

/** Reads one partition of an aggregator. */
export type AggregatorReader = StoreReader<'aggregator', PartitionMethod<'aggregator'>>;

/** Says how far the replicas of one process have come. Failures are TidemarkErrors. */
export interface PositionsReader {
  positions(signal?: AbortSignal): Promise<PositionsReply>;
}

/**
 * The stores of each partition. May throw a TidemarkError such as `unavailable` when no store has the partition: that
 * part is then missing from the answer, and named in it.
 */
export interface QueryStores {
  tagStore(partition: number): TagStoreReader;
  pointStore(partition: number): PointStoreReader;
  /**
   * True when point stores accept whole series sets each time, because this implementation tracks what they know by
   * digest; otherwise the query service does so, by partition.
   */
  readonly namesSets?: boolean;
  /** What is known of the replicas; left out where each partition has its one store. */
  report?(): ReplicaReport;
  /** Replicas that differ: what depends on them may be wrong, and answers say so. */
  readonly divergences?: readonly ReplicaDivergence[];
}

/** What is known of all replicas, for status. */
export interface ReplicaReport {
  readonly replicas: readonly ReplicaStatus[];
  readonly divergences: readonly ReplicaDivergence[];
}
