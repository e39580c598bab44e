import { completeThroughLabel, formatClock, formatDuration } from '../format/format-time.ts';
import { useNowMs } from '../use-now.ts';

/** An older completeness is highlighted, ms. */
const LATE_MS = 30_000;

export interface CompletenessLabelProps {
  readonly completeThroughMs: number | undefined;
  /** False before the first answer: the label is empty then. */
  readonly isKnown: boolean;
  /** Start of the current failure of requests, by the reader's clock. */
  readonly failingSinceMs: number | undefined;
}

/** Shows `complete through 12:34:56 (2.1 s ago)`, or since when there is no answer. */
export function CompletenessLabel({ completeThroughMs, isKnown, failingSinceMs }: CompletenessLabelProps) {
  const nowMs = useNowMs();
  if (failingSinceMs !== undefined) {
    const since = `no answer since ${formatClock(failingSinceMs)} (${formatDuration(Date.now() - failingSinceMs)})`;
    return <span className="completeness is-away">{since}</span>;
  }
  if (!isKnown) return <span className="completeness">&nbsp;</span>;
  const isLate = completeThroughMs === undefined || nowMs - completeThroughMs > LATE_MS;
  return (
    <span
      className={`completeness ${isLate ? 'is-late' : ''}`}
      title="Every point before this time is in the graph. The hatched part may still change."
    >
      {completeThroughLabel(completeThroughMs, nowMs)}
    </span>
  );
}
