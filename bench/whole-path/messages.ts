/** How the points of a round come. */
export interface LoadShape {
  /** Whether each host has a phase of its own in the round; without it all points of a round have one time. */
  readonly phases: boolean;
  /** Time by which a scrape of a host comes earlier or later than a round after the one before it, at most, ms. */
  readonly jitterMs: number;
  /** Share of the hosts that are replaced by others, with series of their own, in an hour. */
  readonly churnPerHour: number;
  /** Share of the scrapes that come `LATE_ROUNDS` later than others of their time. */
  readonly lateShare: number;
}

/** Messages from the runner to the generator, and back. */
export interface GeneratorOptions {
  readonly port: number;
  readonly hosts: number;
  /** Metrics of each host; default 100. */
  readonly metrics?: number;
  readonly rounds: number;
  readonly shape: LoadShape;
  readonly startMs: number;
  readonly stepMs: number;
  /** Max number of rounds that are sent and not acknowledged. */
  readonly inFlight: number;
  /** Minimum time from one round to the next, ms; default 0. */
  readonly paceMs?: number;
  readonly seed: number;
}

export type FromGenerator =
  | { readonly type: 'warm' }
  /** Timestamp of the oldest round that is not acknowledged: the accept clock must not pass it. */
  | { readonly type: 'clock'; readonly nowMs: number }
  | {
      readonly type: 'sent';
      readonly points: number;
      readonly latePoints: number;
      /** Series that were defined after the first round. */
      readonly newSeries: number;
      readonly cpuSeconds: number;
      readonly wallSeconds: number;
    };

export interface PlatformReport {
  readonly cpuSeconds: number;
  readonly points: number;
  readonly latePoints: number;
  readonly duplicatePoints: number;
  /** Buckets that every partition of the point store has closed. */
  readonly closedBuckets: number;
  readonly logBytes: number;
  readonly rssBytes: number;
}

export type ToPlatform =
  | { readonly type: 'clock'; readonly nowMs: number }
  | { readonly type: 'report'; readonly id: number }
  | { readonly type: 'stop' };

export type FromPlatform =
  | { readonly type: 'ready'; readonly port: number; readonly httpPort: number }
  | { readonly type: 'report'; readonly id: number; readonly report: PlatformReport };
