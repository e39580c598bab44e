import {
  completenessDelaysOf,
  completeThroughOf,
  delaySentence,
  gapSentences,
  haltsOf,
  tagLagsOf,
} from '@tidemark/doctor';
import type { PipelineStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';

/**
 * `ok`: no delay. `behind`: later than usual. `blocked`: an operator must act. `unknown`: no mark yet, or no answer.
 */
export type VerdictLevel = 'ok' | 'behind' | 'blocked' | 'unknown';

export interface Verdict {
  readonly level: VerdictLevel;
  readonly sentence: string;
  /** Other causes of delay, and gaps, one sentence each. */
  readonly details: readonly string[];
  /** Everything with a timestamp before this is in every answer, ms; undefined when nothing is known to be. */
  readonly completeThroughMs: number | undefined;
}

/** Says in one sentence through which time the pipeline is complete, and what delays it. */
export function completenessVerdict(status: PipelineStatus): Verdict {
  const completeThroughMs = completeThroughOf(status);
  const stops = [...status.errors.map(unanswered), ...haltSentences(status)];
  const level = status.errors.length > 0 ? 'unknown' : 'blocked';
  if (stops.length > 0) return { level, sentence: stops[0], details: stops.slice(1), completeThroughMs };
  if (status.points.length === 0) {
    return { level: 'unknown', sentence: 'no partition of points answered', details: [], completeThroughMs };
  }

  const holders = completenessDelaysOf(status).map(delaySentence);
  const details = [...tagLagSentences(status), ...gapSentences(status)];
  if (holders.length > 0) {
    const isUnknown = completeThroughMs === undefined;
    const [sentence, ...others] = holders;
    return { level: isUnknown ? 'unknown' : 'behind', sentence, details: [...others, ...details], completeThroughMs };
  }
  const sentence = `${subject(status.points.length)} complete through ${clockAndAge(status, completeThroughMs ?? 0)}`;
  return { level: 'ok', sentence, details, completeThroughMs };
}

function subject(partitions: number): string {
  return partitions === 1 ? 'the one partition is' : `all ${partitions} partitions are`;
}

function clockAndAge(status: PipelineStatus, timeMs: number): string {
  return `${formatClock(timeMs)} (${formatDuration(status.nowMs - timeMs)} ago)`;
}

function unanswered({ part, message }: { readonly part: string; readonly message: string }): string {
  return `${part} does not answer: ${message}`;
}

function haltSentences(status: PipelineStatus): string[] {
  return haltsOf(status).map(({ topic, partition, offset, reason }) =>
    offset === undefined
      ? `${topic}/${partition} has halted, and there is no record to skip: ${reason}`
      : `${topic}/${partition} has halted at offset ${formatCount(offset)}: ${reason}; ` +
        'it resumes after an operator skips that offset',
  );
}

/** Reports lags of tag stores: a point store answers only as far as the tag store has the series. */
function tagLagSentences(status: PipelineStatus): string[] {
  return tagLagsOf(status).map(({ part, records }) => {
    const count = records === 1 ? '1 record' : `${formatCount(records)} records`;
    return `${part} is ${count} behind its log: answers that need them are complete through an earlier time`;
  });
}
