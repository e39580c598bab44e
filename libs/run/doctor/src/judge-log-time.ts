import type { Finding } from './finding.ts';
import { formatDuration, listed } from './format-values.ts';
import type { PipelineView } from './pipeline-view.ts';
import { LOG_AHEAD_MS, SET_BACK_NOTED_MS } from './thresholds.ts';

/** Finds partitions whose time is ahead of the clock, because it was set back, and set backs of the last hour. */
export function judgeLogTime({ points, nowMs, eras = [] }: PipelineView): Finding[] {
  const ahead = points.filter(({ watermarkMs }) => watermarkMs !== undefined && watermarkMs - nowMs > LOG_AHEAD_MS);
  const era = eras.at(-1);
  const isRecent = era !== undefined && Math.abs(nowMs - era.startMs) <= SET_BACK_NOTED_MS;
  return [
    ...(ahead.length > 0 ? [logAhead(ahead, nowMs)] : []),
    ...(isRecent ? [logSetBack(era.startMs, era.aheadMs)] : []),
  ];
}

function logAhead(ahead: PipelineView['points'], nowMs: number): Finding {
  const names = listed(ahead.map(({ partition }) => `points/${partition}`));
  const byMs = Math.max(...ahead.map(({ watermarkMs = nowMs }) => watermarkMs - nowMs));
  return {
    kind: 'log-ahead',
    severity: 'broken',
    what: `the clock was set back: the time of ${names} is ${formatDuration(byMs)} ahead of it`,
    sinceMs: undefined,
    means:
      'no point is accepted, and no answer is complete, until the log takes its time back; agents keep their points',
    next: 'wait 20 s and run the doctor again; if it stays, check that the clocks of all machines are right and that the coordinator runs',
  };
}

function logSetBack(startMs: number, aheadMs: number): Finding {
  return {
    kind: 'log-set-back',
    severity: 'note',
    what: `the clock of the log was ${formatDuration(aheadMs)} ahead, and its time was taken back`,
    sinceMs: startMs,
    means:
      'points that were stored meanwhile may have times in the future, and those of right clocks were late; both are kept',
    next: 'find out why the clock was wrong (timedatectl, chronyc tracking), and let NTP slew',
  };
}
