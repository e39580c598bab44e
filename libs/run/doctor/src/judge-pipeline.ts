import type { Finding } from './finding.ts';
import { gapSentences, type HoldUp, haltsOf, holdUpsOf, sessionName, tagLagsOf } from './hold-ups.ts';
import type { Observations } from './observations.ts';
import type { PipelineView, SessionView } from './pipeline-view.ts';
import { FENCE_AFTER_MS, FENCE_GRACE_MS, FENCED_NOTED_MS, HELD_MS } from './thresholds.ts';
import { counted, formatDuration, listed } from './words.ts';

/** What the status of the partitions and sessions says. */
export function judgePipeline({ pipeline, pipelineProblem, processes }: Observations): Finding[] {
  if (pipeline === undefined) return noStatus(processes, pipelineProblem);
  const holdUps = holdUpsOf(pipeline, HELD_MS);
  return [
    ...halts(pipeline, processes),
    ...unanswered(pipeline),
    ...lags(holdUps, pipeline),
    ...sessions(holdUps, pipeline),
    ...liveLanes(holdUps, pipeline),
    ...noLanes(holdUps, pipeline),
    ...gaps(pipeline),
  ];
}

/** One that does not answer at all is told as a process. */
function noStatus(processes: Observations['processes'], problem: string | undefined): Finding[] {
  const couldTell = processes.some(({ kind, answer }) => {
    return (
      (kind === 'platform' || kind === 'query service') && answer.state === 'answered' && answer.health.notReady === ''
    );
  });
  if (!couldTell || problem === undefined) return [];
  return [
    {
      kind: 'part-unanswered',
      severity: 'broken',
      what: `there is no status of the partitions: ${problem}`,
      sinceMs: undefined,
      means: 'nobody knows how far stores and lanes are; queries may not be answered either',
      next: 'tidemark status says the same in full; with «permission» or «key», use another --key',
    },
  ];
}

function halts(pipeline: PipelineView, processes: Observations['processes']): Finding[] {
  const halted = haltsOf(pipeline);
  return halted.map(({ topic, partition, offset, reason }) => {
    const part = `${topic}/${partition}`;
    const told = processes
      .flatMap(({ answer }) => (answer.state === 'answered' ? answer.health.problems : []))
      .find((problem) => problem.kind === 'halt' && problem.part === part);
    return {
      kind: 'partition-halted',
      severity: 'broken',
      what: `${part} is halted${offset === undefined ? '' : ` at offset ${offset}`}: ${reason}`,
      sinceMs: told?.sinceMs,
      means: 'nothing that came after is in answers; they are right, and complete_through stands still there',
      next:
        offset === undefined
          ? 'no record can be skipped: the log is damaged, or not the one that the store has read; read the runbook'
          : `read the runbook, then: tidemark skip ${topic} ${partition} ${offset} --reason WHY (what is in that record is lost)`,
    };
  });
}

function unanswered({ errors }: PipelineView): Finding[] {
  if (errors.length === 0) return [];
  const names = errors.map(({ part }) => part);
  return [
    {
      kind: 'part-unanswered',
      severity: 'broken',
      what: `${listed(names)} ${names.length === 1 ? 'does' : 'do'} not answer queries: ${errors[0].message}`,
      sinceMs: undefined,
      means: 'answers that need them name them as missing, and claim no complete_through',
      next: 'is the store that owns them running? tidemark status names each with its error',
    },
  ];
}

function lags(holdUps: readonly HoldUp[], pipeline: PipelineView): Finding[] {
  const late = holdUps.filter((one) => one.kind === 'lag');
  const parts = [...late, ...tagLagsOf(pipeline)].map(
    ({ part, records }) => `${part} by ${counted(records, 'record')}`,
  );
  if (parts.length === 0) return [];
  const oldestMs = Math.max(...late.map(({ ageMs }) => ageMs ?? 0), 0);
  const age = oldestMs > 0 ? `, the latest complete through ${formatDuration(oldestMs)} ago` : '';
  return [
    {
      kind: 'store-lags',
      severity: 'degraded',
      what: `${counted(parts.length, 'store is', 'stores are')} behind the log: ${listed(parts)}${age}`,
      sinceMs: oldestMs > 0 ? pipeline.nowMs - oldestMs : undefined,
      means: 'answers are right, and complete through less; nothing is lost, the log keeps what is not read',
      next: 'tidemark status, twice: does the lag shrink? if it grows, see docs/operations/capacity.md',
    },
  ];
}

/** Sessions that stopped renewing, with what they hold back; those that nobody fences; those that were fenced lately. */
function sessions(holdUps: readonly HoldUp[], { sessions: all, nowMs }: PipelineView): Finding[] {
  return all.flatMap((session) => {
    const silentMs = nowMs - session.renewedMs;
    const held = holdUps.filter((one) => one.kind === 'silent-lane' && one.lane.session === session.session);
    if (session.state === 'open' && silentMs > HELD_MS) return [deadSession(session, held, silentMs)];
    if (session.state === 'fenced' && held.length > 0) return [deadSession(session, held, silentMs)];
    if (session.state !== 'fenced' || silentMs > FENCED_NOTED_MS) return [];
    return [
      {
        kind: 'session-fenced',
        severity: 'note',
        what: `session ${sessionName(session.session, session)} was fenced: it had stopped renewing`,
        sinceMs: session.renewedMs,
        means: 'its unacknowledged points come again through other sessions; completeness goes on without it',
        next: 'if that process was not stopped on purpose, the end of its log says why',
      },
    ];
  });
}

function deadSession(session: SessionView, held: readonly HoldUp[], silentMs: number): Finding {
  const parts = held.map(({ part }) => part);
  const holds = parts.length === 0 ? '' : `, and holds back ${counted(parts.length, 'partition')} (${listed(parts)})`;
  const overdueMs = silentMs - FENCE_AFTER_MS - FENCE_GRACE_MS;
  const isOverdue = overdueMs > 0;
  const name = sessionName(session.session, session);
  const fenced = session.state === 'fenced';
  return {
    kind: 'session-dead',
    severity: 'broken',
    what: `session ${name} ${fenced ? 'is fenced' : 'is dead'}: it last renewed ${formatDuration(silentMs)} ago${holds}`,
    sinceMs: session.renewedMs,
    means: 'points go on through other sessions; complete_through stands still until its lanes are fenced',
    next: isOverdue
      ? 'a fence is overdue: is the coordinator running, and can it append? the log and its disk are what to look at'
      : `nothing: it is fenced ${FENCE_AFTER_MS / 1000} s after its last renewal; run tidemark doctor again then`,
  };
}

/** Lanes that stand although their session is alive: the log does not take their records. */
function liveLanes(holdUps: readonly HoldUp[], { nowMs }: PipelineView): Finding[] {
  const bySession = new Map<string, Extract<HoldUp, { kind: 'silent-lane' }>[]>();
  for (const one of holdUps) {
    if (one.kind !== 'silent-lane') continue;
    const { session, renewedAgeMs } = one;
    const isTold = session !== undefined && (session.state !== 'open' || (renewedAgeMs ?? 0) > HELD_MS);
    if (isTold) continue;
    bySession.set(one.lane.session, [...(bySession.get(one.lane.session) ?? []), one]);
  }
  return [...bySession.values()].map((held) => {
    const [{ lane, session }] = held;
    const oldestMs = Math.max(...held.map(({ ageMs }) => ageMs ?? 0));
    const parts = listed(held.map(({ part }) => part));
    return {
      kind: 'lane-stalled',
      severity: 'broken',
      what: `lanes of session ${sessionName(lane.session, session)} have not marked for ${formatDuration(oldestMs)} in ${parts}, though it is alive`,
      sinceMs: oldestMs > 0 ? nowMs - oldestMs : undefined,
      means: 'clients keep the points of these partitions and try again; completeness stands still there',
      next: 'look at the log: its disk, or its brokers',
    };
  });
}

function noLanes(holdUps: readonly HoldUp[], { nowMs }: PipelineView): Finding[] {
  const none = holdUps.filter((one) => one.kind === 'no-lane' || one.kind === 'no-mark');
  if (none.length === 0) return [];
  const ages = none.map((one) => (one.kind === 'no-lane' ? one.ageMs : 0));
  const oldestMs = Math.max(...ages);
  return [
    {
      kind: 'no-lane',
      severity: 'broken',
      what: `no intake has a lane in ${counted(none.length, 'partition')} (${listed(none.map(({ part }) => part))})`,
      sinceMs: oldestMs > 0 ? nowMs - oldestMs : undefined,
      means: 'no point of these partitions is taken, and nothing is known to be complete there',
      next: 'is an intake running and accepting? what else is found here says why not',
    },
  ];
}

function gaps(pipeline: PipelineView): Finding[] {
  return gapSentences(pipeline).map((sentence) => ({
    kind: 'gap',
    severity: 'note',
    what: sentence,
    sinceMs: undefined,
    means: 'what was in the skipped records is not in answers; those that it may touch name the gap',
    next: 'nothing: a skip can not be undone; tidemark status has the reasons',
  }));
}
