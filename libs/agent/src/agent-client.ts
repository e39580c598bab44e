import type { KindName } from '@tidemark/model';
import type { DDSketch } from '@tidemark/sketch';

/** A series of the client's, looked up once. */
export interface AgentSeries {
  record(value: number, timestampMs?: number): void;
  recordSketch(sketch: DDSketch, timestampMs?: number): void;
}

/**
 * What the agent needs of a client (`@tidemark/client` has it all). The agent stamps and flushes by itself, so the
 * client is opened with `flushIntervalMs: 0` and a `frontierLagMs` of at least one flush interval of the agent.
 */
export interface AgentClient {
  /** Throws `invalid_argument` for a name or tags that break a limit, `resource_exhausted` for too many series. */
  series(metric: string, kind: KindName, tags: readonly string[]): AgentSeries;
  /** Sends what was recorded; resolves once it is settled, which may take as long as the platform is away. */
  flush(): Promise<void>;
}
