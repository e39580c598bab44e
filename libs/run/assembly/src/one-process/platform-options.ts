import type { DatadogLimits } from '@tidemark/datadog-payload';
import type { EmbeddedLogLimits } from '@tidemark/embedded-log';
import type { HttpApiOptions } from '@tidemark/http-api';
import type { BodyRoomLimits } from '@tidemark/http-intake';
import type { AcceptClock, IntakeLimits, LaneTiming, RequestLimits } from '@tidemark/intake';
import type { PointLimits } from '@tidemark/model';
import type { PointStoreLimits } from '@tidemark/point-store';
import type { Clock } from '@tidemark/ports';
import type { QueryServiceLimits } from '@tidemark/query';
import type { RemoteWriteLimits } from '@tidemark/remote-write';
import type { GrpcLimits } from '@tidemark/server';

export interface PlatformOptions {
  /** Folder of all data; made where it does not exist, and locked. */
  readonly folder: string;
  readonly host: string;
  /** Callers on loopback need a key as others do; false when left out. */
  readonly loopbackNeedsKey?: boolean;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Partitions of the first map; later starts keep what the log has. */
  readonly partitions: number;
  /** Threads that the stores are spread over. */
  readonly storeThreads: number;
  /** Lateness bound D, ms: how long after its timestamp a point may take to reach the intake. */
  readonly latenessMs: number;
  /** Series that a tenant, and a metric, may have. */
  readonly tenantSeries: number;
  readonly metricSeries: number;
  readonly intake: IntakeLimits & PointLimits;
  readonly timing: LaneTiming;
  readonly points: PointStoreLimits;
  readonly log: Partial<EmbeddedLogLimits>;
  /** Bounds of the gRPC server and of the HTTP API that differ from the defaults. */
  readonly grpc?: Partial<GrpcLimits>;
  readonly http?: HttpApiOptions['limits'];
  /** Bounds of points that come in HTTP requests, and of their protocols, that differ from the defaults. */
  readonly requests?: Partial<RequestLimits & BodyRoomLimits>;
  readonly remoteWrite?: Partial<RemoteWriteLimits>;
  readonly datadog?: Partial<DatadogLimits>;
  /** Bounds of one query that differ from the defaults. */
  readonly query?: Partial<QueryServiceLimits>;
  /** Folder of the built page. */
  readonly pageFolder: string | undefined;
  /** Folder of the contracts, for gRPC reflection. */
  readonly protoFolder: string;
  readonly clock: Clock;
  /** What batches are stamped with; the session's own clock unless a benchmark replays the past. */
  readonly acceptClock?: AcceptClock;
  readonly events: PlatformEvents;
  /** Further keys of the HTTP status, such as the agent's. */
  readonly statusExtra?: HttpApiOptions['statusExtra'];
  /** Gets a line for each HTTP request; none when left out. */
  readonly requestLog?: HttpApiOptions['logger'];
}

/** What happens in a platform, for whoever logs it. */
export interface PlatformEvents {
  readonly info: (message: string, detail?: Readonly<Record<string, unknown>>) => void;
  readonly error: (message: string, detail?: Readonly<Record<string, unknown>>) => void;
  /** It can't go on: the process should end, and be started again. */
  readonly fatal: (error: Error) => void;
}
