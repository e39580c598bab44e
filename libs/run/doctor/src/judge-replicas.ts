import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import type { Finding } from './finding.ts';
import { counted, formatCount, listed, shortId } from './format-values.ts';
import type { Observations } from './observations.ts';
import { haltsOf } from './partition-states.ts';
import type { DivergenceView, PipelineView, ReplicaView } from './pipeline-view.ts';
import { NOTED_REPLICA_LAG } from './thresholds.ts';

/** Finds replicas that differ, that have halted while another continues, or that are far behind the most advanced. */
export function judgeReplicas({ pipeline }: Observations): Finding[] {
  if (pipeline === undefined) return [];
  const { replicas = [], divergences = [] } = pipeline;
  return [...divergences.map(differing), ...halted(replicas, pipeline), ...behind(replicas)];
}

function partOf({ topic, partition }: Pick<ReplicaView, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`;
}

function differing(divergence: DivergenceView): Finding {
  const { offset, hashes, foundMs } = divergence;
  const states = hashes.map(({ process, hash }) => `${process} has ${hash === '' ? 'none' : shortId(hash)}`);
  return {
    kind: 'replica-differs',
    severity: 'broken',
    what: `replicas of ${partOf(divergence)} differ at offset ${formatCount(offset)}: ${listed(states)}`,
    sinceMs: foundMs,
    means: 'they read the same log and have different state: one of them gives wrong answers',
    next: 'keep all their data folders; compare the tidemark state-hash of each with that of a store that reads the log from the start',
  };
}

/** Finds halts that the status does not show, because it has only one replica of each partition. */
function halted(replicas: readonly ReplicaView[], pipeline: PipelineView): Finding[] {
  const shown = new Set(haltsOf(pipeline).map((halt) => partOf(halt)));
  return replicas.flatMap((replica) => {
    const { process, position } = replica;
    if (position === undefined || position.halted === '' || shown.has(partOf(replica))) return [];
    const place = position.haltedOffset < 0 ? '' : ` at offset ${position.haltedOffset}`;
    return [
      {
        kind: 'partition-halted',
        severity: 'degraded',
        what: `the replica of ${partOf(replica)} at ${process} is halted${place}: ${position.halted}`,
        sinceMs: undefined,
        means: 'another replica reads the same log and continues: this one, or its connection to the log, is damaged',
        next: 'do not skip; check its disk and its log, then rebuild the partition (see the runbook)',
      },
    ];
  });
}

function behind(replicas: readonly ReplicaView[]): Finding[] {
  const best = new Map<string, number>();
  for (const replica of replicas) {
    const { offset = 0 } = replica.position ?? {};
    best.set(partOf(replica), Math.max(offset, best.get(partOf(replica)) ?? 0));
  }
  const byProcess = new Map<
    string,
    { readonly parts: string[]; readonly isLost: boolean; seenMs: number | undefined }
  >();
  for (const replica of replicas) {
    const { process, position, state, seenMs } = replica;
    if (position === undefined) continue;
    const records = (best.get(partOf(replica)) ?? 0) - position.offset;
    if (records <= NOTED_REPLICA_LAG) continue;
    const known = byProcess.get(process) ?? { parts: [], isLost: state === 'lost', seenMs };
    known.parts.push(`${partOf(replica)} by ${counted(records, 'record')}`);
    byProcess.set(process, known);
  }
  return [...byProcess].map(([process, { parts, isLost, seenMs }]) => ({
    kind: 'replica-behind',
    severity: 'degraded',
    what: `the store at ${process} is behind the most advanced replica: ${listed(parts)}${isLost ? ', and does not answer' : ''}`,
    sinceMs: isLost ? seenMs : undefined,
    means: 'queries prefer the other replicas; until it has caught up it is not a spare, and the log is kept for it',
    next: isLost
      ? 'make it reachable again: it continues from its last commit'
      : `run ${TIDEMARK_COMMAND} status twice; if the lag grows, see docs/operations/capacity.md`,
  }));
}
