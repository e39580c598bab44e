import type { ClientOptions, ClientStats, SeriesHandle } from '@tidemark/client';
import type { KindName } from '@tidemark/model';

/** A series of the client's, looked up once. */
export type AgentSeries = Pick<SeriesHandle, 'record' | 'recordSketch'>;

/** What the agent needs of a client; it is opened with `agentClientOptions`, and closed by who opened it. */
export interface AgentClient {
  /** Throws `invalid_argument` for a name or tags that break a limit, `resource_exhausted` for too many series. */
  series(metric: string, kind: KindName, tags: readonly string[]): AgentSeries;
  /** Begins to send what was recorded. */
  flush(): void;
  stats(): ClientStats;
}

/**
 * How the client of an agent differs from others: the agent says when to flush, and stamps DogStatsD's aggregates with
 * the start of their interval, so the promised frontier lags by one.
 */
export function agentClientOptions(flushIntervalMs: number): Pick<ClientOptions, 'flushIntervalMs' | 'frontierLagMs'> {
  return { flushIntervalMs: 0, frontierLagMs: flushIntervalMs };
}
