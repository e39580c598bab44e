import type { Clock, Events, Random } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';

/** Settings and ports of a process of the cluster. */
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
  /** Aborts when the process must stop: a start that waits for other processes ends then. */
  readonly stopping: AbortSignal;
}

/** A running process of the cluster. */
export interface Service {
  readonly grpcPort: number;
  readonly httpPort: number;
  /**
   * Reports to health checks that it leaves, waits `cluster.drainMs`, then accepts nothing more, finishes and closes.
   */
  stop(): Promise<void>;
}
