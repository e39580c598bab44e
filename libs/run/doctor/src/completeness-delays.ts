import { counted, formatDuration, shortId } from './format-values.ts';
import type { LaneView, PipelineView, PointPartitionView, SessionView } from './pipeline-view.ts';
import { FENCE_AFTER_MS, LATE_MARK_MS } from './thresholds.ts';

/** What holds back the completeness of one partition. Ages are ms before the status was taken. */
export type CompletenessDelay =
  /** Its store has records to read, the newer marks among them. */
  | { readonly kind: 'lag'; readonly part: string; readonly records: number; readonly ageMs: number | undefined }
  /** Its store has stopped reading: what it knew of lanes may be gone with its database. */
  | { readonly kind: 'halted'; readonly part: string; readonly ageMs: number | undefined }
  /** The store has newer points than its tag store has series. */
  | {
      readonly kind: 'tags';
      readonly part: string;
      readonly isHalted: boolean;
      readonly records: number;
      readonly ageMs: number | undefined;
    }
  /** What is behind is shown to operators only. `ageMs` is undefined before the first mark. */
  | { readonly kind: 'withheld'; readonly part: string; readonly ageMs: number | undefined }
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
 * Returns what holds back each partition whose watermark is more than `lateMs` old, the one with the oldest watermark
 * first; tests: `examine.test.ts`.
 */
export function completenessDelaysOf(status: PipelineView, lateMs = LATE_MARK_MS): CompletenessDelay[] {
  return status.points
    .filter(({ coveredWatermarkMs }) => isLate(coveredWatermarkMs, status.nowMs, lateMs))
    .sort((a, b) => orderOf(a) - orderOf(b))
    .map((partition) => delayOf(partition, status, lateMs));
}

function isLate(markMs: number | undefined, nowMs: number, lateMs: number): boolean {
  return markMs === undefined || nowMs - markMs > lateMs;
}

const orderOf = ({ coveredWatermarkMs = Number.NEGATIVE_INFINITY }: PointPartitionView): number => coveredWatermarkMs;

function delayOf(
  partition: PointPartitionView,
  { tags, sessions, nowMs, forOperator }: PipelineView,
  lateMs: number,
): CompletenessDelay {
  const { watermarkMs, coveredWatermarkMs } = partition;
  if (!isLate(watermarkMs, nowMs, lateMs)) {
    const part = `tags/${partition.partition}`;
    const ageMs = coveredWatermarkMs === undefined ? undefined : nowMs - coveredWatermarkMs;
    if (forOperator === false) return { kind: 'withheld', part, ageMs };
    const own = tags.find((one) => one.partition === partition.partition);
    const [isHalted, records] = own === undefined ? [false, 0] : [own.halted !== '', own.logNext - own.offset];
    return { kind: 'tags', part, isHalted, records, ageMs };
  }
  const part = `points/${partition.partition}`;
  const ageMs = watermarkMs === undefined ? undefined : nowMs - watermarkMs;
  if (forOperator === false) return { kind: 'withheld', part, ageMs };
  if (partition.halted !== '') return { kind: 'halted', part, ageMs };
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
export function delaySentence(delay: CompletenessDelay): string {
  const { part } = delay;
  switch (delay.kind) {
    case 'lag':
      return `${part} is ${counted(delay.records, 'record')} behind its log`;
    case 'halted':
      return `${part} is halted`;
    case 'tags': {
      const state = delay.isHalted ? 'is halted' : `is ${counted(delay.records, 'record')} behind its log`;
      const since = delay.ageMs === undefined ? '' : ` for ${formatDuration(delay.ageMs)}`;
      return `${part} ${state}: points have had series that it does not have${since}`;
    }
    case 'withheld': {
      const since = delay.ageMs === undefined ? 'yet' : `for ${formatDuration(delay.ageMs)}`;
      return `${part} has had no mark ${since}; operators see why`;
    }
    case 'no-mark':
      return `${part} has had no mark yet: no intake has opened a lane on it`;
    case 'no-lane':
      return `${part}: no lane is open, and there was no mark for ${formatDuration(delay.ageMs)}`;
    case 'silent-lane': {
      const { lane, session, ageMs, renewedAgeMs } = delay;
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
