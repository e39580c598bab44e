import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import type { Finding } from './finding.ts';
import type { Observations } from './observations.ts';
import { type Halted, haltsOf } from './partition-states.ts';
import type { PipelineView } from './pipeline-view.ts';

/** How a store says that it answers nothing, because it has no database that can be trusted. */
const NO_DATABASE = /^(the )?database \S+ (is damaged|was lost|can't be opened)/;
/** How a store says that its database comes back from a snapshot. */
const RESTORED = /It is restored from a snapshot; retry later$|, and pass no records$/;
/** How a store says that a whole folder of the log is gone. */
const GONE_FOLDER = /: log\/\S+ was gone at a start;/;

/** Finds the partitions that have stopped reading, and says whether they still answer. */
export function judgeHalts(pipeline: PipelineView, processes: Observations['processes']): Finding[] {
  const problems = processes.flatMap(({ answer }) => (answer.state === 'answered' ? answer.health.problems : []));
  return haltsOf(pipeline).map((halt) => {
    const part = `${halt.topic}/${halt.partition}`;
    const at = halt.offset === undefined ? '' : ` at offset ${halt.offset}`;
    const isRebuilt = problems.some((problem) => problem.kind === 'rebuilt' && problem.part === part);
    return {
      kind: 'partition-halted',
      severity: 'broken',
      what: `${part} is halted${at}: ${halt.reason}`,
      sinceMs: problems.find((problem) => problem.kind === 'halt' && problem.part === part)?.sinceMs,
      ...words(halt, isRebuilt),
    };
  });
}

function words({ topic, partition, offset, reason }: Halted, isRebuilt: boolean): Pick<Finding, 'means' | 'next'> {
  const skip = `${TIDEMARK_COMMAND} skip ${topic} ${partition} ${offset} --reason WHY (what the skip passes is lost)`;
  if (RESTORED.test(reason)) {
    return {
      means:
        'queries that need this partition are errors, never smaller answers, until that is done; the other partitions are right',
      next: 'do what the reason says, and skip nothing: a skip would lose what the snapshot has',
    };
  }
  if (NO_DATABASE.test(reason)) {
    return {
      means: 'queries that need this partition are errors, never smaller answers; the other partitions are right',
      next:
        offset === undefined
          ? 'read the runbook and do what the reason says, then restart; a skip has no effect before that'
          : `read the runbook and restore the folder that the reason names from a copy; only without a copy: ${skip}`,
    };
  }
  if (GONE_FOLDER.test(reason)) {
    return {
      means:
        'what that folder of the log had is missing from answers, unless the store had it already; they name the gap, and complete_through does not advance there',
      next: `stop the process and restore the folder that the reason names from a copy, before much is appended to the new one; only without a copy: ${skip}`,
    };
  }
  if (isRebuilt) {
    return {
      means:
        'its damaged database is built again from the log, which is damaged, too: queries that need this partition are errors, never smaller answers, until that is done',
      next: `keep the folders ${topic}/${partition}.damaged-*, which may have what the log lost; read the runbook and restore the data folder from a copy; only without a copy: ${skip}`,
    };
  }
  return {
    means: 'later records are missing from answers; answers stay right, and complete_through does not advance there',
    next:
      offset === undefined
        ? 'no record can be skipped: the log is not the one that the database was read from; do what the reason says, and read the runbook'
        : `read the runbook, then: ${skip}`,
  };
}
