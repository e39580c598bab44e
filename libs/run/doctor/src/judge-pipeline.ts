import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { type CompletenessDelay, completenessDelaysOf, delaySentence, sessionName } from './completeness-delays.ts';
import type { Finding } from './finding.ts';
import { counted, formatDuration, listed } from './format-values.ts';
import { judgeHalts } from './judge-halts.ts';
import { judgeLogTime } from './judge-log-time.ts';
import type { Observations } from './observations.ts';
import { gapSentences, tagLagsOf } from './partition-states.ts';
import type { PipelineView, SessionView } from './pipeline-view.ts';
import { FENCE_AFTER_MS, FENCE_GRACE_MS, FENCED_NOTED_MS, HELD_MS } from './thresholds.ts';

/** Finds problems in the status of the partitions and sessions. */
export function judgePipeline({ pipeline, pipelineProblem, processes }: Observations): Finding[] {
  if (pipeline === undefined) return noStatus(processes, pipelineProblem);
  const delays = completenessDelaysOf(pipeline, HELD_MS);
  return [
    ...judgeLogTime(pipeline),
    ...judgeHalts(pipeline, processes),
    ...unanswered(pipeline),
    ...lags(delays, pipeline),
    ...withheld(delays, pipeline),
    ...sessions(delays, pipeline),
    ...liveLanes(delays, pipeline),
    ...noLanes(delays, pipeline),
    ...gaps(pipeline),
  ];
}

/** Reports a missing status when a ready process should have given it; a silent process is a finding of its own. */
function noStatus(processes: Observations['processes'], problem: string | undefined): Finding[] {
  const canReport = processes.some(({ kind, answer }) => {
    return (
      (kind === 'platform' || kind === 'query service') && answer.state === 'answered' && answer.health.notReady === ''
    );
  });
  if (!canReport || problem === undefined) return [];
  return [
    {
      kind: 'part-unanswered',
      severity: 'broken',
      what: `no status of the partitions is available: ${problem}`,
      sinceMs: undefined,
      means: 'the progress of stores and lanes is unknown; queries may fail too',
      next: `run ${TIDEMARK_COMMAND} status for the full error; if it names a permission or a key, pass another --key`,
    },
  ];
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
      means: 'answers that need them list them as missing and have no complete_through',
      next: `check that the store that owns them runs; ${TIDEMARK_COMMAND} status shows the error of each`,
    },
  ];
}

function lags(delays: readonly CompletenessDelay[], pipeline: PipelineView): Finding[] {
  const late = delays.filter((one) => one.kind === 'lag');
  const parts = [...late, ...tagLagsOf(pipeline)].map(
    ({ part, records }) => `${part} by ${counted(records, 'record')}`,
  );
  if (parts.length === 0) return [];
  const oldestMs = Math.max(...late.map(({ ageMs }) => ageMs ?? 0), 0);
  const age = oldestMs > 0 ? `, the oldest watermark is ${formatDuration(oldestMs)} old` : '';
  return [
    {
      kind: 'store-lags',
      severity: 'degraded',
      what: `${counted(parts.length, 'store is', 'stores are')} behind the log: ${listed(parts)}${age}`,
      sinceMs: oldestMs > 0 ? pipeline.nowMs - oldestMs : undefined,
      means:
        'answers are right, but their complete_through is earlier; nothing is lost: the log keeps the unread records',
      next: `run ${TIDEMARK_COMMAND} status twice; if the lag grows, see docs/operations/capacity.md`,
    },
  ];
}

/** Reports partitions that are late for a reason that only operators see. */
function withheld(delays: readonly CompletenessDelay[], { nowMs }: PipelineView): Finding[] {
  const late = delays.filter((one) => one.kind === 'withheld');
  if (late.length === 0) return [];
  const oldestMs = Math.max(...late.map(({ ageMs }) => ageMs ?? 0));
  return [
    {
      kind: 'store-lags',
      severity: 'degraded',
      what: late.map(delaySentence).join('; '),
      sinceMs: oldestMs > 0 ? nowMs - oldestMs : undefined,
      means: 'answers are right, but their complete_through is earlier',
      next: `ask an operator to run ${TIDEMARK_COMMAND} doctor: this key is of one tenant, and does not show the pipeline`,
    },
  ];
}

/**
 * Finds sessions that stopped renewing, with the partitions that they hold back, and sessions that were fenced lately.
 */
function sessions(delays: readonly CompletenessDelay[], { sessions: all, nowMs, eras }: PipelineView): Finding[] {
  const eraStartMs = eras?.at(-1)?.startMs;
  const fenced: SessionView[] = [];
  const dead = all.flatMap((session) => {
    const silentMs = nowMs - session.renewedMs;
    const held = delays.filter((one) => one.kind === 'silent-lane' && one.lane.session === session.session);
    if (session.state === 'open' && silentMs > HELD_MS) return [deadSession(session, held, silentMs)];
    if (session.state === 'fenced' && held.length > 0) return [deadSession(session, held, silentMs)];
    if (session.state !== 'fenced' || silentMs > FENCED_NOTED_MS) return [];
    // When an era begins, all sessions end. That is a finding of its own.
    if (eraStartMs !== undefined && session.renewedMs > eraStartMs - FENCE_AFTER_MS) return [];
    fenced.push(session);
    return [];
  });
  return [...dead, ...fencedSessions(fenced)];
}

/** Notes fenced sessions in one finding: a process that restarts again and again leaves one session each time. */
function fencedSessions(fenced: readonly SessionView[]): Finding[] {
  if (fenced.length === 0) return [];
  const newestFirst = [...fenced].sort((a, b) => b.renewedMs - a.renewedMs);
  const names = newestFirst.map((one) => sessionName(one.session, one));
  const isOne = fenced.length === 1;
  return [
    {
      kind: 'session-fenced',
      severity: 'note',
      what: isOne
        ? `session ${names[0]} was fenced: it had stopped renewing`
        : `${counted(fenced.length, 'session')} were fenced in the last ${formatDuration(FENCED_NOTED_MS)}, because they had stopped renewing: ${listed(names)}`,
      sinceMs: newestFirst[0].renewedMs,
      means: `${isOne ? 'its' : 'their'} unacknowledged points are resent through other sessions; completeness advances without ${isOne ? 'it' : 'them'}`,
      next: `if ${isOne ? 'that process was' : 'those processes were'} not stopped on purpose, the end of ${isOne ? 'its' : 'their'} log has the reason`,
    },
  ];
}

function deadSession(session: SessionView, held: readonly CompletenessDelay[], silentMs: number): Finding {
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
    means: 'points continue through other sessions; complete_through does not advance until its lanes are fenced',
    next: isOverdue
      ? 'the fence is overdue: check that the coordinator runs and can append, then check the log and its disk'
      : `nothing: it is fenced ${FENCE_AFTER_MS / 1000} s after its last renewal; then run ${TIDEMARK_COMMAND} doctor again`,
  };
}

/** Finds lanes that do not advance although their session is alive: the log does not accept their records. */
function liveLanes(delays: readonly CompletenessDelay[], { nowMs }: PipelineView): Finding[] {
  const bySession = new Map<string, Extract<CompletenessDelay, { kind: 'silent-lane' }>[]>();
  for (const one of delays) {
    if (one.kind !== 'silent-lane') continue;
    const { session, renewedAgeMs } = one;
    const isReported = session !== undefined && (session.state !== 'open' || (renewedAgeMs ?? 0) > HELD_MS);
    if (isReported) continue;
    bySession.set(one.lane.session, [...(bySession.get(one.lane.session) ?? []), one]);
  }
  return [...bySession.values()].map((held) => {
    const [{ lane, session }] = held;
    const oldestMs = Math.max(...held.map(({ ageMs }) => ageMs ?? 0));
    const parts = listed(held.map(({ part }) => part));
    return {
      kind: 'lane-stalled',
      severity: 'broken',
      what: `lanes of session ${sessionName(lane.session, session)} have not marked for ${formatDuration(oldestMs)} in ${parts}, although the session is alive`,
      sinceMs: oldestMs > 0 ? nowMs - oldestMs : undefined,
      means: 'clients keep the points of these partitions and retry; completeness does not advance there',
      next: 'check the log: its disk, or its brokers',
    };
  });
}

function noLanes(delays: readonly CompletenessDelay[], { nowMs }: PipelineView): Finding[] {
  const none = delays.filter((one) => one.kind === 'no-lane' || one.kind === 'no-mark');
  if (none.length === 0) return [];
  const ages = none.map((one) => (one.kind === 'no-lane' ? one.ageMs : 0));
  const oldestMs = Math.max(...ages);
  return [
    {
      kind: 'no-lane',
      severity: 'broken',
      what: `no intake has a lane in ${counted(none.length, 'partition')} (${listed(none.map(({ part }) => part))})`,
      sinceMs: oldestMs > 0 ? nowMs - oldestMs : undefined,
      means: 'no point of these partitions is accepted, and nothing is known to be complete there',
      next: 'check that an intake runs and accepts points; the other findings may have the reason',
    },
  ];
}

function gaps(pipeline: PipelineView): Finding[] {
  return gapSentences(pipeline).map((sentence) => ({
    kind: 'gap',
    severity: 'note',
    what: sentence,
    sinceMs: undefined,
    means:
      'the content of records that were skipped, or lost with a disk, is missing from answers; those that it may affect name the gap',
    next: `nothing: these records do not come back; ${TIDEMARK_COMMAND} status shows the reasons`,
  }));
}
