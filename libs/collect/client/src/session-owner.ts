import type { Clock, Random, TidemarkError } from '@tidemark/ports';
import type { ClientSession } from './client-session.ts';
import type { IntakeConnector } from './intake-connector.ts';
import type { ClientOptions } from './options.ts';
import type { ClientCounters } from './stats.ts';

/** What a client session needs of the client around it. */
export interface SessionOwner {
  readonly connector: IntakeConnector;
  readonly clock: Clock;
  readonly random: Random;
  readonly addresses: readonly string[];
  readonly options: ClientOptions;
  readonly counters: ClientCounters;
  /** The least timestamp that may still come from anything but `session`, ms; NaN when that is not known. */
  leastTimeBeside(session: ClientSession): number;
  /** A batch now carries this frontier. */
  onPromise(frontierMs: number): void;
  /** A write of the session's spool failed; it tries again later. */
  onSpoolFailure(session: ClientSession, error: TidemarkError): void;
  /** The session's spool has grown. */
  onSpoolGrowth(added: 'waiting' | 'stamped'): void;
  /** Batches were settled or given up. */
  onSettled(session: ClientSession): void;
  onError(error: TidemarkError): void;
}
