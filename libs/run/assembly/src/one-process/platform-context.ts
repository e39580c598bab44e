import type { HttpApiOptions } from '@tidemark/http-api';
import type { AcceptClock } from '@tidemark/intake';
import type { Clock, Events } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';

/** What a platform in one process is made with. */
export interface PlatformContext {
  /** `data.partitions` must be those that the data folder has, if it exists. */
  readonly settings: Settings;
  readonly clock: Clock;
  readonly events: Events;
  /** Folder of the contracts, for gRPC reflection. */
  readonly protoFolder: string;
  /** Folder of the built page; no page when left out. */
  readonly pageFolder?: string;
  /** Stamps batches; a clock of each session's own when left out. A benchmark that replays the past has one. */
  readonly acceptClock?: AcceptClock;
  /** Further keys of the HTTP status, such as the agent's. */
  readonly statusExtra?: HttpApiOptions['statusExtra'];
  /** Receives a line for each HTTP request; none when left out. */
  readonly requestLog?: HttpApiOptions['logger'];
}
