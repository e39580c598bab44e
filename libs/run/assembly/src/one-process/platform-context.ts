import type { HttpApiOptions } from '@tidemark/http-api';
import type { AcceptClock } from '@tidemark/intake';
import type { Clock, Events } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';

/** Settings and ports of a platform in one process. */
export interface PlatformContext {
  /** `data.partitions` must be those that the data folder has, if it exists. */
  readonly settings: Settings;
  readonly clock: Clock;
  readonly events: Events;
  /** Folder of the contracts, for gRPC reflection. */
  readonly protoFolder: string;
  /** Folder of the built page; no page when omitted. */
  readonly pageFolder?: string;
  /** Stamps batches; each session has a clock of its own when omitted. Benchmarks that replay the past set one. */
  readonly acceptClock?: AcceptClock;
  /** Further keys of the HTTP status, such as the agent's. */
  readonly statusExtra?: HttpApiOptions['statusExtra'];
  /** Receives a line for each HTTP request; none when omitted. */
  readonly requestLog?: HttpApiOptions['logger'];
}
