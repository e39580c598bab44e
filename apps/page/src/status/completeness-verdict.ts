import { completeThroughOf, gapSentences, haltsOf, holdUpSentence, holdUpsOf, tagLagsOf } from '@tidemark/doctor';
import type { PipelineStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';

/** `ok`: as fresh as it can be. `behind`: later than usual. `blocked`: waits for someone. `unknown`: can't be told. */
export type VerdictLevel = 'ok' | 'behind' | 'blocked' | 'unknown';

export interface Verdict {
  readonly level: VerdictLevel;
  readonly sentence: string;
  /** What else holds completeness back or was skipped, one sentence each. */
  readonly details: readonly string[];
  /** Everything with a timestamp before this is in every answer, ms; undefined when nothing is known to be. */
  readonly completeThroughMs: number | undefined;
}

/** Says in one sentence through when the pipeline is complete and what, if anything, holds it back. */
export function completenessVerdict(status: PipelineStatus): Verdict {
  const completeThroughMs = completeThroughOf(status);
  const stops = [...status.errors.map(unanswered), ...haltSentences(status)];
  const level = status.errors.length > 0 ? 'unknown' : 'blocked';
  if (stops.length > 0) return { level, sentence: stops[0], details: stops.slice(1), completeThroughMs };
  if (status.points.length === 0) {
    return { level: 'unknown', sentence: 'no partition of points has answered', details: [], completeThroughMs };
  }

  const holders = holdUpsOf(status).map(holdUpSentence);
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
        'it goes on once that offset is skipped explicitly',
  );
}

/** A point store answers only as far as the tag store has named its series, so a lag there shows in answers. */
function tagLagSentences(status: PipelineStatus): string[] {
  return tagLagsOf(status).map(({ part, records }) => {
    const count = records === 1 ? '1 record' : `${formatCount(records)} records`;
    return `${part} is ${count} behind its log: answers that need them are complete less far`;
  });
}
