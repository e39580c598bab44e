import type { ClientOptions, ClientStats, MetricDescription, SeriesHandle } from '@tidemark/client';
import type { KindName } from '@tidemark/model';

/** A series of the client, looked up once. */
export type AgentSeries = Pick<SeriesHandle, 'record' | 'recordSketch' | 'end'>;

/** The part of a client that the agent uses. The caller opens it with `agentClientOptions`, and closes it. */
export interface AgentClient {
  /**
   * `intervalMs` is the reporting interval of the series from now on, where one is given. Throws `invalid_argument` for a
   * name or tags that break a limit, `resource_exhausted` for too many series.
   */
  series(metric: string, kind: KindName, tags: readonly string[], intervalMs?: number): AgentSeries;
  /** States what a metric is. Never throws. */
  describe(metric: string, description: MetricDescription): void;
  /** Begins to send the recorded points. The agent does not wait for the result, which never rejects. */
  flush(): unknown;
  stats(): ClientStats;
}

/**
 * Returns the options that an agent's client needs: the agent calls `flush` itself, and stamps DogStatsD's aggregates
 * with the start of their interval, so the promised frontier lags by one interval.
 */
export function agentClientOptions(
  flushIntervalMs: number,
): Pick<ClientOptions, 'flushIntervalMs' | 'handFlushIntervalMs' | 'frontierLagMs'> {
  return { flushIntervalMs: 0, handFlushIntervalMs: flushIntervalMs, frontierLagMs: flushIntervalMs };
}
