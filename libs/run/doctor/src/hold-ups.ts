import type { LaneView, PipelineView, PointPartitionView, SessionView } from './pipeline-view.ts';
import { FENCE_AFTER_MS, LATE_MARK_MS, NOTED_TAGS_LAG } from './thresholds.ts';
import { counted, formatCount, formatDuration, shortId } from './words.ts';

/** What holds back the completeness of one partition. Ages are ms before the status was taken. */
export type HoldUp =
  /** Its store has records to read, the newer marks among them. */
  | { readonly kind: 'lag'; readonly part: string; readonly records: number; readonly ageMs: number | undefined }
  /** No intake has ever opened a lane. */
  | { readonly kind: 'no-mark'; readonly part: string }
  /** No lane is open now. */
  | { readonly kind: 'no-lane'; readonly part: string; readonly ageMs: number }
  /** The open lane whose mark is the oldest. */
  | {
      readonly kind: 'silent-lane';
      readonly part: string;
      readonly lane: LaneView;
      /** Undefined before its first mark. */
      readonly ageMs: number | undefined;
      readonly session: SessionView | undefined;
      /** How long ago the session renewed; undefined when it isn't known. */
      readonly renewedAgeMs: number | undefined;
    };

/**
 * What holds back each partition whose watermark is more than `lateMs` old, the one with the oldest watermark first.
 */
export function holdUpsOf(status: PipelineView, lateMs = LATE_MARK_MS): HoldUp[] {
  return status.points
    .filter(({ watermarkMs }) => watermarkMs === undefined || status.nowMs - watermarkMs > lateMs)
    .sort((a, b) => (a.watermarkMs ?? Number.NEGATIVE_INFINITY) - (b.watermarkMs ?? Number.NEGATIVE_INFINITY))
    .map((partition) => holdUpOf(partition, status));
}

function holdUpOf(partition: PointPartitionView, { sessions, nowMs }: PipelineView): HoldUp {
  const part = `points/${partition.partition}`;
  const { watermarkMs } = partition;
  const ageMs = watermarkMs === undefined ? undefined : nowMs - watermarkMs;
  const records = partition.logNext - partition.offset;
  // Marks that it has not read yet may be newer, so reading is checked before the lanes.
  if (records > 0) return { kind: 'lag', part, records, ageMs };
  const open = partition.lanes.filter((lane) => lane.open);
  if (open.length === 0) return ageMs === undefined ? { kind: 'no-mark', part } : { kind: 'no-lane', part, ageMs };
  const lane = open.reduce((oldest, one) => (one.markMs < oldest.markMs ? one : oldest));
  const session = sessions.find((one) => one.session === lane.session);
  return {
    kind: 'silent-lane',
    part,
    lane,
    ageMs: lane.markMs > 0 ? nowMs - lane.markMs : undefined,
    session,
    renewedAgeMs: session === undefined ? undefined : nowMs - session.renewedMs,
  };
}

/** Returns one sentence for an operator. */
export function holdUpSentence(holdUp: HoldUp): string {
  const { part } = holdUp;
  switch (holdUp.kind) {
    case 'lag':
      return `${part} is ${counted(holdUp.records, 'record')} behind its log`;
    case 'no-mark':
      return `${part} has had no mark yet: no intake has opened a lane on it`;
    case 'no-lane':
      return `${part}: no lane is open, and there was no mark for ${formatDuration(holdUp.ageMs)}`;
    case 'silent-lane': {
      const { lane, session, ageMs, renewedAgeMs } = holdUp;
      const of = `lane ${lane.lane} of session ${sessionName(lane.session, session)}`;
      const marked = ageMs === undefined ? 'has not marked yet' : `has not marked for ${formatDuration(ageMs)}`;
      return `${part}: ${of} ${marked}${sessionClause(session, renewedAgeMs ?? 0)}`;
    }
  }
}

/** `ab12 (intake 4711)`. */
export function sessionName(id: string, session: SessionView | undefined): string {
  return `${shortId(id)}${session?.process ? ` (${session.process})` : ''}`;
}

/** Returns why the lane's session may be silent, and what happens next. */
function sessionClause(session: SessionView | undefined, silentMs: number): string {
  if (session === undefined) return '';
  if (session.state !== 'open') return `; its session is ${session.state}, and this lane will be fenced`;
  if (silentMs <= LATE_MARK_MS) return '; its session is alive';
  const leftMs = FENCE_AFTER_MS - silentMs;
  const next = leftMs > 0 ? `it is fenced in ${formatDuration(leftMs)}` : 'it is about to be fenced';
  return `; its session last renewed ${formatDuration(silentMs)} ago, ${next}`;
}

/** A partition that has stopped reading. */
export interface Halted {
  readonly topic: 'points' | 'tags';
  readonly partition: number;
  /** Of the record that may be skipped; undefined where the log is at fault. */
  readonly offset: number | undefined;
  readonly reason: string;
}

export function haltsOf({ points, tags }: Pick<PipelineView, 'points' | 'tags'>): Halted[] {
  const of = (topic: Halted['topic'], all: PipelineView['tags']): Halted[] =>
    all
      .filter(({ halted }) => halted !== '')
      .map(({ partition, halted, haltedOffset }) => {
        return { topic, partition, offset: haltedOffset < 0 ? undefined : haltedOffset, reason: halted };
      });
  return [...of('points', points), ...of('tags', tags)];
}

/**
 * Returns the tag partitions that are behind their log by more than `NOTED_TAGS_LAG` records: answers wait for them.
 */
export function tagLagsOf({ tags }: Pick<PipelineView, 'tags'>): { part: string; records: number }[] {
  return tags
    .map(({ partition, offset, logNext }) => ({ part: `tags/${partition}`, records: logNext - offset }))
    .filter(({ records }) => records > NOTED_TAGS_LAG);
}

/** Returns one sentence for each partition that has skipped records. */
export function gapSentences({ points, tags }: Pick<PipelineView, 'points' | 'tags'>): string[] {
  return [...points, ...tags]
    .filter(({ gaps }) => gaps.length > 0)
    .map(({ partition, gaps }) => {
      const count = gaps.length === 1 ? 'a marked gap' : `${gaps.length} marked gaps`;
      const newest = gaps[gaps.length - 1];
      return `${gaps[0].topic}/${partition} has ${count}, the newest at offset ${formatCount(newest.offset)}`;
    });
}

/** Lowest watermark minus the lateness bound; undefined if a partition did not answer or has no watermark. */
export function completeThroughOf(status: PipelineView): number | undefined {
  if (status.errors.some(({ part }) => !part.startsWith('tags/')) || status.points.length === 0) return undefined;
  let minMs = Number.POSITIVE_INFINITY;
  for (const { watermarkMs } of status.points) {
    if (watermarkMs === undefined) return undefined;
    minMs = Math.min(minMs, watermarkMs);
  }
  return minMs - status.latenessMs;
}
