import type { LaneStatus, PipelineStatus, PointPartitionStatus, SessionStatus } from '../api/api-types.ts';
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

/** A lane marks at least each second; a mark older than this holds completeness back, ms. */
export const LATE_MARK_MS = 3_000;

/** A session is fenced this long after its last renewal, ms. */
const FENCE_AFTER_MS = 10_000;

/** Records that a tag store may be behind its log before it is worth a line. */
const NOTED_TAGS_LAG = 100;

/** Hex digits of an id that are enough to find it again. */
const SHORT_ID = 4;

export function shortId(id: string): string {
  return id.slice(0, SHORT_ID) || '?';
}

/** Says in one sentence through when the pipeline is complete and what, if anything, holds it back. */
export function completenessVerdict(status: PipelineStatus): Verdict {
  const completeThroughMs = completeThroughOf(status);
  const stops = [...status.errors.map(unanswered), ...haltsOf(status)];
  const level = status.errors.length > 0 ? 'unknown' : 'blocked';
  if (stops.length > 0) return { level, sentence: stops[0], details: stops.slice(1), completeThroughMs };
  if (status.points.length === 0) {
    return { level: 'unknown', sentence: 'no partition of points has answered', details: [], completeThroughMs };
  }

  const holders = holdersOf(status);
  const details = [...tagsLagOf(status), ...gapsOf(status)];
  if (holders.length > 0) {
    const isUnknown = completeThroughMs === undefined;
    const [sentence, ...others] = holders;
    return { level: isUnknown ? 'unknown' : 'behind', sentence, details: [...others, ...details], completeThroughMs };
  }
  const sentence = `${subject(status.points.length)} complete through ${clockAndAge(status, completeThroughMs ?? 0)}`;
  return { level: 'ok', sentence, details, completeThroughMs };
}

/** Least watermark less the lateness bound; a partition that did not answer, or has no watermark, makes it unknown. */
function completeThroughOf(status: PipelineStatus): number | undefined {
  if (status.errors.some(({ part }) => !part.startsWith('tags/')) || status.points.length === 0) return undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const { watermarkMs } of status.points) {
    if (watermarkMs === undefined) return undefined;
    least = Math.min(least, watermarkMs);
  }
  return least - status.latenessMs;
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

function haltsOf(status: PipelineStatus): string[] {
  const halts = (kind: string, partitions: PipelineStatus['points'] | PipelineStatus['tags']): string[] =>
    partitions
      .filter(({ halted }) => halted !== '')
      .map(
        ({ partition, halted, haltedOffset }) =>
          `${kind}/${partition} has halted at offset ${formatCount(haltedOffset)}: ${halted}; ` +
          'it goes on once that offset is skipped explicitly',
      );
  return [...halts('points', status.points), ...halts('tags', status.tags)];
}

/** One sentence for each partition that is later than it should be, the latest first. */
function holdersOf(status: PipelineStatus): string[] {
  const late = status.points
    .filter(({ watermarkMs }) => watermarkMs === undefined || status.nowMs - watermarkMs > LATE_MARK_MS)
    .sort((a, b) => (a.watermarkMs ?? Number.NEGATIVE_INFINITY) - (b.watermarkMs ?? Number.NEGATIVE_INFINITY));
  return late.map((partition) => holderOf(partition, status));
}

/** A point store answers only as far as the tag store has named its series, so a lag there shows in answers. */
function tagsLagOf(status: PipelineStatus): string[] {
  return status.tags
    .filter(({ offset, logNext }) => logNext - offset > NOTED_TAGS_LAG)
    .map(
      ({ partition, offset, logNext }) =>
        `tags/${partition} is ${records(logNext - offset)} behind its log: answers that need them are complete less far`,
    );
}

function holderOf(partition: PointPartitionStatus, status: PipelineStatus): string {
  const name = `points/${partition.partition}`;
  const lag = partition.logNext - partition.offset;
  // Marks that it has not read yet may be newer, so reading comes before the lanes.
  if (lag > 0) return `${name} is ${records(lag)} behind its log`;
  const open = partition.lanes.filter((lane) => lane.open);
  if (open.length === 0) {
    return partition.watermarkMs === undefined
      ? `${name} has had no mark yet: no intake has opened a lane on it`
      : `${name}: no lane is open, so nothing has marked for ${ageOf(partition.watermarkMs, status)}`;
  }
  const lane = open.reduce((least, one) => (one.markMs < least.markMs ? one : least));
  return laneSentence(name, lane, status);
}

function laneSentence(name: string, lane: LaneStatus, status: PipelineStatus): string {
  const session = status.sessions.find((one) => one.session === lane.session);
  const of = `lane ${lane.lane} of session ${shortId(lane.session)}${session?.process ? ` (${session.process})` : ''}`;
  const marked = lane.markMs > 0 ? `has not marked for ${ageOf(lane.markMs, status)}` : 'has not marked yet';
  return `${name}: ${of} ${marked}${sessionClause(session, status)}`;
}

/** Why the lane's session may be silent, and what happens next. */
function sessionClause(session: SessionStatus | undefined, status: PipelineStatus): string {
  if (session === undefined) return '';
  if (session.state !== 'open') return `; its session is ${session.state}, and the fence of this lane is on its way`;
  const silentMs = status.nowMs - session.renewedMs;
  if (silentMs <= LATE_MARK_MS) return '; its session is alive';
  const leftMs = FENCE_AFTER_MS - silentMs;
  const next = leftMs > 0 ? `it is fenced in ${formatDuration(leftMs)}` : 'it is about to be fenced';
  return `; its session last renewed ${formatDuration(silentMs)} ago, ${next}`;
}

function gapsOf(status: PipelineStatus): string[] {
  return [...status.points, ...status.tags]
    .filter(({ gaps }) => gaps.length > 0)
    .map(({ partition, gaps }) => {
      const count = gaps.length === 1 ? 'a marked gap' : `${gaps.length} marked gaps`;
      return `${gaps[0].topic}/${partition} has ${count}, the newest at offset ${formatCount(gaps[gaps.length - 1].offset)}`;
    });
}

function ageOf(timeMs: number, status: PipelineStatus): string {
  return formatDuration(status.nowMs - timeMs);
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${formatCount(count)} records`;
}
