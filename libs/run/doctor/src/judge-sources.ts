import type { Finding } from './finding.ts';
import { counted, formatDuration, listed } from './format-values.ts';
import type { Observations } from './observations.ts';
import type { SourceView } from './pipeline-view.ts';

/** How an agent calls its DogStatsD servers; its other sources are checks. */
const SERVER = /^dogstatsd /;
/** Characters of a reason that a finding shows. */
const REASON_CHARACTERS = 160;

/** Finds checks and scrape targets of agents that fail, and DogStatsD servers that are not listening. */
export function judgeSources({ pipeline }: Observations): Finding[] {
  if (pipeline === undefined) return [];
  const failing = pipeline.sessions.flatMap(({ sources = [] }) => sources).filter(({ problem }) => problem !== '');
  const oldest = failing.sort((a, b) => a.sinceMs - b.sinceMs);
  const servers = oldest.filter(({ name }) => SERVER.test(name));
  const checks = oldest.filter(({ name }) => !SERVER.test(name));
  return [...serversFinding(servers), ...checksFinding(checks, pipeline.nowMs)];
}

function reasonOf({ problem }: SourceView): string {
  return problem.length > REASON_CHARACTERS ? `${problem.slice(0, REASON_CHARACTERS)}…` : problem;
}

function serversFinding(servers: readonly SourceView[]): Finding[] {
  if (servers.length === 0) return [];
  const named = servers.map((one) => `${one.name.replace(SERVER, '')} of ${one.client}: ${reasonOf(one)}`);
  return [
    {
      kind: 'server-closed',
      severity: 'degraded',
      what: `DogStatsD is not listening: ${listed(named)}`,
      sinceMs: servers[0].sinceMs,
      means: 'what programs send there is not received by that agent, and is not counted anywhere',
      next: 'stop the process that uses the port, or set dogstatsd.port; then restart the agent',
    },
  ];
}

function checksFinding(checks: readonly SourceView[], nowMs: number): Finding[] {
  if (checks.length === 0) return [];
  const named = checks.map((one) => {
    const ageMs = Math.max(0, nowMs - one.sinceMs);
    return `${one.name} of ${one.client} for ${formatDuration(ageMs)} (${reasonOf(one)})`;
  });
  return [
    {
      kind: 'check-fails',
      severity: 'degraded',
      what: `${counted(checks.length, 'check or scrape target fails', 'checks or scrape targets fail')}: ${listed(named)}`,
      sinceMs: checks[0].sinceMs,
      means: 'its series have no points since then, and tidemark.agent.scrape.up of a target is 0',
      next: 'check that the target runs and that the agent reaches it; the agent tries again by itself',
    },
  ];
}
