import type {
  AggregateReply,
  AggregateRequest,
  DescribeMetricsReply,
  DescribeMetricsRequest,
  DescribeTagsReply,
  DescribeTagsRequest,
  MatchReply,
  MatchRequest,
  PartitionStatusReply,
  PartitionStatusRequest,
  PointStateHashReply,
  PointStateHashRequest,
  PositionsReply,
  ReplicaDivergence,
  ReplicaStatus,
  SeriesCountsReply,
  SeriesCountsRequest,
  SeriesTagsReply,
  SeriesTagsRequest,
  TagPartitionStatusReply,
  TagPartitionStatusRequest,
} from '@tidemark/contract';

/** Reads one partition of a tag store. Failures are TidemarkErrors; an abort may end a request early. */
export interface TagStoreReader {
  match(request: MatchRequest, signal?: AbortSignal): Promise<MatchReply>;
  describeMetrics(request: DescribeMetricsRequest, signal?: AbortSignal): Promise<DescribeMetricsReply>;
  describeTags(request: DescribeTagsRequest, signal?: AbortSignal): Promise<DescribeTagsReply>;
  seriesTags(request: SeriesTagsRequest, signal?: AbortSignal): Promise<SeriesTagsReply>;
  status(request: TagPartitionStatusRequest, signal?: AbortSignal): Promise<TagPartitionStatusReply>;
}

/** Reads one partition of a point store. Failures are TidemarkErrors; an abort may end a request early. */
export interface PointStoreReader {
  aggregate(request: AggregateRequest, signal?: AbortSignal): Promise<AggregateReply>;
  status(request: PartitionStatusRequest, signal?: AbortSignal): Promise<PartitionStatusReply>;
}

/** Counts series of one partition of a tag store: for budgets, not for queries. */
export interface SeriesCounter {
  seriesCounts(request: SeriesCountsRequest, signal?: AbortSignal): Promise<SeriesCountsReply>;
}

/** Hashes the state of one partition of a point store: for comparing replicas, not for queries. */
export interface PointStateHasher {
  stateHash(request: PointStateHashRequest, signal?: AbortSignal): Promise<PointStateHashReply>;
}

/** Says how far the replicas of one process have come. Failures are TidemarkErrors. */
export interface PositionsReader {
  positions(signal?: AbortSignal): Promise<PositionsReply>;
}

/**
 * Who answers for a partition. May throw a TidemarkError such as `unavailable` when nobody does: that part is then
 * missing from the answer, and named in it.
 */
export interface QueryStores {
  tagStore(partition: number): TagStoreReader;
  pointStore(partition: number): PointStoreReader;
  /**
   * True when point stores may be given whole series sets each time, since what they know by digest is kept book of
   * behind this interface; otherwise the query service does so, by partition.
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
