import type { Clock, Random, TidemarkError } from '@tidemark/ports';
import type { IntakeConnector } from './intake-connector.ts';
import type { MetricStatements } from './metric-statements.ts';
import type { ClientOptions } from './options.ts';
import type { ClientCounters } from './stats.ts';

/** The client that owns one client session, as the session uses it. */
export interface SessionOwner {
  readonly connector: IntakeConnector;
  readonly clock: Clock;
  readonly random: Random;
  readonly addresses: readonly string[];
  readonly options: ClientOptions;
  readonly counters: ClientCounters;
  /** What the program says of metrics. */
  readonly statements: MetricStatements;
  /** True for the session that takes new batches: it alone reports for the client. */
  isLive(): boolean;
  /** The minimum timestamp that the client may still send outside of this session, ms; NaN when it is unknown. */
  minOtherTimeMs(): number;
  /** Called when a batch is stamped with this frontier. */
  onPromise(frontierMs: number): void;
  /** Called when a write of the session's spool failed; the session retries it later. */
  onSpoolFailure(error: TidemarkError): void;
  /** Called when the session's spool has grown. */
  onSpoolGrowth(added: 'waiting' | 'stamped'): void;
  /** Called when batches were settled or given up. */
  onSettled(): void;
  onError(error: TidemarkError): void;
  /** Called with the lateness bound (D) of each greeting that names it, ms. */
  onLateness(latenessMs: number): void;
  /** The interval that the program chose for its flushes, ms, if it is known. */
  readonly flushIntervalMs: number | undefined;
  /** Time between two flushes now, ms: what an amount stands for; undefined when it is unknown. */
  amountIntervalMs(): number | undefined;
}
