/** Messages from the runner to the generator, and back. */
export interface GeneratorOptions {
  readonly port: number;
  readonly hosts: number;
  readonly rounds: number;
  readonly startMs: number;
  readonly stepMs: number;
  /** Max number of rounds that are sent and not acknowledged. */
  readonly inFlight: number;
  readonly seed: number;
}

export type FromGenerator =
  | { readonly type: 'warm' }
  /** Timestamp of the oldest round that is not acknowledged: the accept clock must not pass it. */
  | { readonly type: 'clock'; readonly nowMs: number }
  | { readonly type: 'sent'; readonly points: number; readonly cpuSeconds: number; readonly wallSeconds: number };

export interface PlatformReport {
  readonly cpuSeconds: number;
  readonly points: number;
  readonly latePoints: number;
  readonly duplicatePoints: number;
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
