/** How replicas are watched and asked. */
export interface ReplicaLimits {
  /** How often a process is asked for its positions, ms… */
  readonly pollMs: number;
  /** …but all processes together no more often than this, a second. */
  readonly pollsPerSecond: number;
  /** A process that has not told its positions within this is lost until it does, ms. */
  readonly pollTimeoutMs: number;
  /** Polls under way at the same time; of lost processes, as many again. */
  readonly concurrentPolls: number;
  /** A request to a lost process is given up after this, ms. */
  readonly lostGraceMs: number;
  /** The next replica is asked too when an answer takes longer than 95% of the recent ones did, but not before this… */
  readonly hedgeFloorMs: number;
  /** …and not later than this, ms. */
  readonly hedgeCeilingMs: number;
  /** Requests that may be asked of a second replica for being slow, as a share of all. */
  readonly hedgeShare: number;
  /** Hedges that may be saved up for a bad moment. */
  readonly hedgeBurst: number;
  /** A point store this much of watermark behind the most advanced one is not asked for slowness' sake, ms. */
  readonly hedgeLagMs: number;
  /** The same of a tag store, in records. */
  readonly hedgeLagRecords: number;
  /** Hashes that are compared of each replica, the newest. */
  readonly checkpoints: number;
  /** Requests for the hashes of replicas at the same time. */
  readonly concurrentChecks: number;
  /** Divergences that are kept, those found first. */
  readonly divergences: number;
  /** Series sets per replica of a partition believed to be known by their digest. */
  readonly seriesSets: number;
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
  seriesSets: 32,
};
