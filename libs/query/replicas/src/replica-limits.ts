/** Bounds and times of polls, requests and comparisons of replicas. */
export interface ReplicaLimits {
  /** Time between two polls of a process, ms. */
  readonly pollMs: number;
  /** Maximum polls of all processes per second. */
  readonly pollsPerSecond: number;
  /** A process that has not reported its positions within this time is lost until it does, ms. */
  readonly pollTimeoutMs: number;
  /** Concurrent polls; lost processes have as many in addition. */
  readonly concurrentPolls: number;
  /** A request to a lost process is abandoned after this, ms. */
  readonly lostGraceMs: number;
  /** Minimum time before a request is hedged, ms; it is hedged when it takes longer than 95% of the recent ones. */
  readonly hedgeFloorMs: number;
  /** Maximum time before a request is hedged, ms. */
  readonly hedgeCeilingMs: number;
  /** Requests that may be hedged, as a share of all. */
  readonly hedgeShare: number;
  /** Hedges that may be saved up. */
  readonly hedgeBurst: number;
  /** A point store whose watermark is this far behind the most advanced one gets no hedges, ms. */
  readonly hedgeLagMs: number;
  /** A tag store that is this many records behind the most advanced one gets no hedges. */
  readonly hedgeLagRecords: number;
  /** Newest hashes of each replica that are compared. */
  readonly checkpoints: number;
  /** Concurrent requests for the hashes of replicas. */
  readonly concurrentChecks: number;
  /** Divergences that are kept: the first ones found. */
  readonly divergences: number;
  /** Series sets per replica of a partition that are recorded as known by their digest. */
  readonly seriesSets: number;
  /** Series that the replicas found for recent questions, bytes. */
  readonly matchBytes: number;
}

export const DEFAULT_REPLICA_LIMITS: ReplicaLimits = {
  pollMs: 1000,
  pollsPerSecond: 500,
  pollTimeoutMs: 2000,
  concurrentPolls: 64,
  lostGraceMs: 3000,
  hedgeFloorMs: 50,
  hedgeCeilingMs: 2000,
  hedgeShare: 0.1,
  hedgeBurst: 16,
  hedgeLagMs: 5000,
  hedgeLagRecords: 64,
  checkpoints: 64,
  concurrentChecks: 4,
  divergences: 256,
  seriesSets: 1024,
  matchBytes: 16 * 2 ** 20,
};
