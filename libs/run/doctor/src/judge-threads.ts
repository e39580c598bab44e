import { LATE_THREAD_MS, LATE_THREAD_NOTED_MS, THREAD_FAULT_MS } from '@tidemark/model/thread-delay';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import type { Finding } from './finding.ts';
import { listed } from './format-values.ts';
import type { Observations, ProcessObservation, ThreadView } from './observations.ts';

/** Finds threads whose event loop was busy for so long that requests, acknowledgements or renewals waited. */
export function judgeThreads({ processes }: Observations): Finding[] {
  return processes.flatMap(lateThreads);
}

function lateThreads({ kind, address, answer }: ProcessObservation): Finding[] {
  if (answer.state !== 'answered') return [];
  const { process, nowMs, threads } = answer.health;
  const late = threads.flatMap((thread) => {
    const { lateMs, lateAtMs } = thread;
    if (lateMs === undefined || lateAtMs === undefined || nowMs - lateAtMs > LATE_THREAD_NOTED_MS) return [];
    return [{ ...thread, lateMs, lateAtMs }];
  });
  if (late.length === 0) return [];
  late.sort((a, b) => b.lateMs - a.lateMs);
  const name = kind === 'platform' ? process : `${process} at ${address}`;
  const isMainLate = late.some(({ thread, windowMaxMs }) => thread === 'main' && windowMaxMs >= THREAD_FAULT_MS);
  return [
    {
      kind: 'thread-late',
      severity: isMainLate ? 'degraded' : 'note',
      what: `event loops of ${name} were late by more than ${LATE_THREAD_MS} ms: ${listed(late.map(delayText))}`,
      sinceMs: late[0].lateAtMs,
      means: late.some(({ thread }) => thread === 'main')
        ? 'requests, acknowledgements and renewals of the lease waited for as long; after 5 s an intake accepts nothing'
        : 'stores or the agent continued later; answers, acknowledgements and renewals of the lease did not wait in the main thread',
      next: `run ${TIDEMARK_COMMAND} status again; if the delays return, give the machine more cores, or see the runbook`,
    },
  ];
}

function delayText(late: ThreadView & { lateMs: number; lateAtMs: number }): string {
  const { thread, lateMs, lateAtMs, windowMaxMs } = late;
  const at = new Date(lateAtMs).toISOString().slice(11, 19);
  return `${thread} ${Math.round(lateMs)} ms at ${at} UTC (within the last 10 s: ${Math.round(windowMaxMs)} ms)`;
}
