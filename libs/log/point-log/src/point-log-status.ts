import type { Gap, LaneStatus } from '@tidemark/contract';
import type { LaneTracker } from './lane-tracker.ts';
import type { PointLogState } from './point-log-state.ts';

/** Returns the lanes that the watermark waits for, as a status shows them, in the order in which a restart loads them. */
export function openLanes(tracker: LaneTracker): LaneStatus[] {
  return [...tracker.lanes.values()]
    .filter((lane) => lane.open)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ session, lane, open, markMs, sequence }) => ({
      session: Buffer.from(session),
      lane,
      open,
      markMs: Number.isFinite(markMs) ? markMs : 0,
      sequence: Math.max(0, sequence),
    }));
}

/** Returns the skipped records, by offset. */
export function gapsOf({ partition, gaps }: Pick<PointLogState, 'partition' | 'gaps'>): Gap[] {
  return gaps.map((gap) => ({ topic: 'points', partition, ...gap }));
}
