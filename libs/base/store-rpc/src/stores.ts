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

/** Reads the positions of the replicas of one process. Failures are TidemarkErrors. */
export interface PositionsReader {
  positions(signal?: AbortSignal): Promise<PositionsReply>;
}

/**
 * The stores of each partition. A method may throw a TidemarkError such as `unavailable` when no store has the
 * partition: that part is then missing from the answer, which names it.
 */
export interface QueryStores {
  tagStore(partition: number): TagStoreReader;
  pointStore(partition: number): PointStoreReader;
  /**
   * Memory of what this implementation remembers of the stores, bytes: which series sets they know, and what they found. Then
   * callers may pass whole series sets and ask again each time. Undefined when it remembers nothing: then the query service
   * does, by partition.
   */
  readonly rememberedBytes?: number;
  /** The known state of the replicas; omitted where each partition has one store. */
  report?(): ReplicaReport;
  /** Replicas that differ: results that depend on them may be wrong, and answers say so. */
  readonly divergences?: readonly ReplicaDivergence[];
}

/** The known state of all replicas, for the status. */
export interface ReplicaReport {
  readonly replicas: readonly ReplicaStatus[];
  readonly divergences: readonly ReplicaDivergence[];
}
