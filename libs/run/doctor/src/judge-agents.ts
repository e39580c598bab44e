import type { Finding } from './finding.ts';
import { counted, formatDuration, listed } from './format-values.ts';
import type { ClientView, Observations } from './observations.ts';
import { isAgent, nameOf, newestByClient } from './seen-clients.ts';
import { AGENT_BEHIND_MS, AGENT_LOST_MS, AGENT_SILENT_INTERVALS, AGENT_SILENT_MS } from './thresholds.ts';

/** Finds agents that deliver late, that are silent, or that left and have not reconnected. */
export function judgeAgents(observations: Observations): Finding[] {
  const { pipeline } = observations;
  const seen = newestByClient(observations);
  const latenessMs = pipeline?.latenessMs ?? 0;
  const behind: Late[] = [];
  const silent: Late[] = [];
  const lost: Late[] = [];
  for (const { client, nowMs } of seen) {
    const mustSpeak = isAgent(client);
    const late = (sinceMs: number): Late => ({ name: nameOf(client), ageMs: nowMs - sinceMs, sinceMs });
    if (client.lostMs !== undefined) {
      const isBack = seen.some(({ client: one }) => one.lostMs === undefined && nameOf(one) === nameOf(client));
      if (mustSpeak && !isBack && nowMs - client.lostMs > AGENT_LOST_MS) lost.push(late(client.lostMs));
      continue;
    }
    if (client.batches === 0) continue;
    const silentMs = nowMs - client.lastBatchMs;
    if (mustSpeak && silentMs > silenceOf(client)) silent.push(late(client.lastBatchMs));
    else if (client.frontierMs !== undefined && client.lastBatchMs - client.frontierMs > latenessMs + AGENT_BEHIND_MS) {
      behind.push(late(client.frontierMs));
    }
  }
  return [...behindFinding(behind), ...silentFinding(silent), ...lostFinding(lost)];
}

interface Late {
  readonly name: string;
  readonly ageMs: number;
  readonly sinceMs: number;
}

/** Returns the longest silence that can be a pause between flushes, ms. */
function silenceOf({ batches, firstBatchMs, lastBatchMs }: ClientView): number {
  const intervalMs = batches < 2 ? 0 : (lastBatchMs - firstBatchMs) / (batches - 1);
  return Math.max(AGENT_SILENT_MS, intervalMs * AGENT_SILENT_INTERVALS);
}

function named(late: readonly Late[], preposition: 'by' | 'for'): string {
  const oldest = [...late].sort((a, b) => b.ageMs - a.ageMs);
  return listed(oldest.map(({ name, ageMs }) => `${name} ${preposition} ${formatDuration(ageMs)}`));
}

function sinceOf(late: readonly Late[]): number {
  return Math.min(...late.map(({ sinceMs }) => sinceMs));
}

function behindFinding(late: readonly Late[]): Finding[] {
  if (late.length === 0) return [];
  return [
    {
      kind: 'agent-behind',
      severity: 'degraded',
      what: `${counted(late.length, 'client is', 'clients are')} delivering late data: ${named(late, 'by')}`,
      sinceMs: sinceOf(late),
      means: 'their points are stored and counted as late: complete_through had advanced without them',
      next: 'after an outage they catch up by themselves; if it lasts, check their clocks, flush intervals and network',
    },
  ];
}

function silentFinding(late: readonly Late[]): Finding[] {
  if (late.length === 0) return [];
  return [
    {
      kind: 'agent-behind',
      severity: 'degraded',
      what: `${counted(late.length, 'agent is', 'agents are')} connected but silent: ${named(late, 'for')}`,
      sinceMs: sinceOf(late),
      means: 'their hosts are missing from graphs since then; their points are in their spools and arrive later',
      next: 'check that the agents run and reach the intakes; the log of an agent has its last error',
    },
  ];
}

function lostFinding(late: readonly Late[]): Finding[] {
  if (late.length === 0) return [];
  return [
    {
      kind: 'agent-lost',
      severity: 'degraded',
      what: `${counted(late.length, 'agent has', 'agents have')} left and not reconnected: ${named(late, 'for')}`,
      sinceMs: sinceOf(late),
      means: 'their hosts are missing from graphs since then; undelivered points are in their spools, if they have one',
      next: 'nothing if they were stopped on purpose; otherwise check that the host is up and reaches an intake (forgotten after 1 h)',
    },
  ];
}
