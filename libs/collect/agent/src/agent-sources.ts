import type { CheckStatus } from '@tidemark/checks';
import type { ServerStatus } from '@tidemark/dogstatsd';

/** A check, a scrape target or a server of an agent, as the contract has it. */
export interface AgentSource {
  readonly name: string;
  /** Why it does not work now; empty while it works. */
  readonly problem: string;
  /** Since when it does not work, wall ms; 0 while it works. */
  readonly sinceMs: number;
}

/** Returns the checks, scrape targets and DogStatsD servers of an agent that started at `startedMs`. */
export function agentSources(
  checks: readonly CheckStatus[],
  servers: readonly ServerStatus[],
  startedMs: number,
): AgentSource[] {
  return [
    ...checks.map(({ name, error = '', failingSinceMs = 0 }) => ({ name, problem: error, sinceMs: failingSinceMs })),
    // A server that does not listen has not listened since the start: none is closed while the agent runs.
    ...servers.map(({ transport, address, listening, reason = 'not listening' }) => {
      const name = `dogstatsd ${transport} ${address}`;
      return listening ? { name, problem: '', sinceMs: 0 } : { name, problem: reason, sinceMs: startedMs };
    }),
  ];
}
