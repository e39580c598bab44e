import { maxFlushIntervalMs } from '@tidemark/model/flush-interval';
import type { Finding } from './finding.ts';
import { counted, formatCount, formatDuration, listed } from './format-values.ts';
import type { ClientView, Observations } from './observations.ts';
import { isAgent, nameOf, newestByClient } from './seen-clients.ts';

interface LateClient {
  readonly client: ClientView;
  readonly latePoints: number;
}

/**
 * Clients whose points are late: those whose flush interval does not fit into D, with the setting, and others that have
 * sent late points; and late points of HTTP requests, whose senders are not clients. Clients that no intake knows any more
 * are left out.
 */
export function judgeLatePoints(observations: Observations): Finding[] {
  const { pipeline } = observations;
  if (pipeline === undefined) return [];
  const maxMs = maxFlushIntervalMs(pipeline.latenessMs);
  const late = latePointsByClient(observations);
  const tooRare: LateClient[] = [];
  const others: LateClient[] = [];
  for (const { client } of newestByClient(observations)) {
    const latePoints = late.get(client.clientSession) ?? 0;
    const isConnected = client.lostMs === undefined;
    if (isConnected && (client.flushIntervalMs ?? 0) > maxMs) tooRare.push({ client, latePoints });
    else if (latePoints > 0) others.push({ client, latePoints });
  }
  return [
    ...tooRareFinding(tooRare, pipeline.latenessMs),
    ...othersFinding(others, pipeline.latenessMs),
    ...requestsFinding(lateRequests(observations, late), pipeline.latenessMs),
  ];
}

/** Over all partitions, by client session. */
function latePointsByClient({ pipeline }: Observations): Map<string, number> {
  const late = new Map<string, number>();
  for (const { clients = [] } of pipeline?.points ?? []) {
    for (const { clientSession, latePoints } of clients) {
      late.set(clientSession, (late.get(clientSession) ?? 0) + latePoints);
    }
  }
  return late;
}

function settingOf(client: ClientView): string {
  return isAgent(client) ? 'agent.flushIntervalMs' : 'flushIntervalMs';
}

function tooRareFinding(clients: readonly LateClient[], latenessMs: number): Finding[] {
  if (clients.length === 0) return [];
  const named = clients.map(({ client, latePoints }) => {
    const interval = formatDuration(client.flushIntervalMs ?? 0);
    return `${nameOf(client)} every ${interval} (${settingOf(client)}; ${counted(latePoints, 'late point')})`;
  });
  const settings = [...new Set(clients.map(({ client }) => settingOf(client)))].sort().join(' and ');
  return [
    {
      kind: 'late-points',
      severity: 'degraded',
      what: `${counted(clients.length, 'client flushes', 'clients flush')} too rarely for D, ${formatDuration(latenessMs)}: ${listed(named)}`,
      sinceMs: undefined,
      means: 'their points are stored, and counted late: complete_through advances without them',
      next: `set ${settings} to at most ${formatDuration(maxFlushIntervalMs(latenessMs))}, or raise completeness.latenessMs`,
    },
  ];
}

function othersFinding(clients: readonly LateClient[], latenessMs: number): Finding[] {
  if (clients.length === 0) return [];
  const most = [...clients].sort((a, b) => b.latePoints - a.latePoints);
  const named = most.map(({ client, latePoints }) => `${nameOf(client)} ${formatCount(latePoints)}`);
  return [
    {
      kind: 'late-points',
      severity: 'note',
      what: `${counted(clients.length, 'client has', 'clients have')} sent late points: ${listed(named)}`,
      sinceMs: undefined,
      means: 'they are stored; complete_through had advanced without them',
      next: `after an outage this is expected; else compare their clocks, and the timestamps that they set, with completeness.latenessMs (${formatDuration(latenessMs)})`,
    },
  ];
}

/** Sums late points of requests over HTTP by the name that an intake gives to them. */
function lateRequests(observations: Observations, late: ReadonlyMap<string, number>): Map<string, number> {
  const clients = new Set(newestByClient(observations).map(({ client }) => client.clientSession));
  const names = new Map(
    (observations.pipeline?.sessions ?? []).flatMap(({ clientNames = {} }) => Object.entries(clientNames)),
  );
  const byName = new Map<string, number>();
  for (const [session, latePoints] of late) {
    const name = names.get(session);
    if (name === undefined || clients.has(session) || latePoints === 0 || !REQUESTS.test(name)) continue;
    byName.set(name, (byName.get(name) ?? 0) + latePoints);
  }
  return byName;
}

/** How an intake names the requests of protocols that have no clients. */
const REQUESTS = /^HTTP requests/;

function requestsFinding(late: ReadonlyMap<string, number>, latenessMs: number): Finding[] {
  if (late.size === 0) return [];
  const named = [...late].sort(([, a], [, b]) => b - a).map(([name, points]) => `${name} ${formatCount(points)}`);
  return [
    {
      kind: 'late-points',
      severity: 'note',
      what: `senders over HTTP have sent late points: ${listed(named)}`,
      sinceMs: undefined,
      means: 'they are stored; complete_through had advanced without them',
      next: `if it continues, raise completeness.latenessMs (${formatDuration(latenessMs)}) above the time for which senders gather points; a Datadog Agent on its defaults needs ${formatDuration(DATADOG_AGENT_MS)} (docs/datadog.md)`,
    },
  ];
}

/** Lateness bound that docs/datadog.md names for an Agent on its defaults. */
const DATADOG_AGENT_MS = 40_000;
