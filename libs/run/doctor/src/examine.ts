import { byWeight, type Finding } from './finding.ts';
import { counted, formatBytes } from './format-values.ts';
import { judgeAgents } from './judge-agents.ts';
import { judgeKafka } from './judge-kafka.ts';
import { judgeLatePoints } from './judge-late-points.ts';
import { judgePipeline } from './judge-pipeline.ts';
import { judgeProblems } from './judge-problems.ts';
import { judgeProcesses } from './judge-processes.ts';
import { judgeRefused } from './judge-refused.ts';
import { judgeReplicas } from './judge-replicas.ts';
import { judgeSources } from './judge-sources.ts';
import { judgeSpools } from './judge-spools.ts';
import { judgeThreads } from './judge-threads.ts';
import type { Observations } from './observations.ts';

/** `healthy`: no findings except notes. `ill`: something is wrong. `blind`: no process reported its state. */
export type Outcome = 'healthy' | 'ill' | 'blind';

export interface Examination {
  readonly outcome: Outcome;
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** What was checked, in one line. */
  readonly looked: string;
}

/** Finds what is wrong from `observations`. */
export function examine(observations: Observations): Examination {
  const findings = [
    ...judgeKafka(observations),
    ...judgeProcesses(observations),
    ...judgeProblems(observations),
    ...judgeThreads(observations),
    ...judgePipeline(observations),
    ...judgeReplicas(observations),
    ...judgeAgents(observations),
    ...judgeSources(observations),
    ...judgeLatePoints(observations),
    ...judgeSpools(observations),
    ...judgeRefused(observations),
  ].sort(byWeight);
  return { outcome: outcomeOf(observations, findings), findings, looked: checkedParts(observations) };
}

function outcomeOf({ processes, pipeline }: Observations, findings: readonly Finding[]): Outcome {
  const hasAnswer = pipeline !== undefined || processes.some(({ answer }) => answer.state === 'answered');
  if (!hasAnswer) return 'blind';
  return findings.some(({ severity }) => severity !== 'note') ? 'ill' : 'healthy';
}

function checkedParts({ processes, pipeline, kafka }: Observations): string {
  const answered = processes.flatMap(({ answer }) => (answer.state === 'answered' ? [answer.health] : []));
  const checked = [
    `${answered.length} of ${counted(processes.length, 'process', 'processes')}`,
    pipeline === undefined ? 'no status of partitions' : counted(pipeline.points.length, 'partition'),
  ];
  if (pipeline !== undefined)
    checked.push(counted(pipeline.sessions.filter(({ state }) => state === 'open').length, 'open session'));
  const clients = answered.flatMap((health) => health.clients.filter(({ lostMs }) => lostMs === undefined));
  checked.push(counted(clients.length, 'client'));
  const free = answered.flatMap(({ volumes }) => volumes.map(({ freeBytes }) => freeBytes));
  if (free.length > 0) {
    checked.push(
      `${counted(free.length, 'disk')} (${formatBytes(Math.min(...free))} free${free.length > 1 ? ' at least' : ''})`,
    );
  }
  if (kafka !== undefined) checked.push(counted(kafka.brokers.length, 'broker'));
  return checked.join(', ');
}
