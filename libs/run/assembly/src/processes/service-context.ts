import type { Clock, Events, Random } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';

/** What every process of the cluster is made with. */
export interface ServiceContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  /** Names the process in status and in decisions: `intake 4711`. */
  readonly name: string;
  /** Reads a file that a setting names. */
  readonly readFile: (path: string) => Promise<Buffer>;
  /** Folder of the contracts, for gRPC reflection. */
  readonly protoFolder: string;
  /** Folder of the built page; only the query service has one. */
  readonly pageFolder?: string;
  /** Aborts when the process is to stop: a start that waits for others ends then. */
  readonly stopping: AbortSignal;
}

/** A process's part of the cluster, at work. */
export interface Service {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Says to health checks that it leaves, waits `cluster.drainMs`, then takes nothing more, finishes and closes. */
  stop(): Promise<void>;
}
