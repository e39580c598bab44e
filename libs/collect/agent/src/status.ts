import type { CheckStatus } from '@tidemark/checks';
import type { ClientStats } from '@tidemark/client';
import type { AggregatorCounts, ServerStatus } from '@tidemark/dogstatsd';

/** The state of an agent, for an operator. Counts are since its start. */
export interface AgentStatus {
  readonly hostname: string;
  readonly flushIntervalMs: number;
  readonly running: boolean;
  readonly flushes: number;
  readonly lastFlushMs: number | undefined;
  /** Points given to the client, by where they came from. */
  readonly points: { readonly dogstatsd: number; readonly checks: number; readonly agent: number };
  /** Values, points and series dropped by the agent, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly servers: readonly ServerStatus[];
  readonly dogstatsd: AggregatorCounts | undefined;
  readonly checks: readonly CheckStatus[];
  /** The client's counts: what was acknowledged, rejected, dropped or is pending. */
  readonly client: ClientStats;
}
