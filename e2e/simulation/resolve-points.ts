import type { PlainPoint } from '@tidemark/fold/testing';
import { KIND, type Kind } from '@tidemark/model';
import type { AppliedPoint } from './plain-consumer.ts';

/**
 * Returns the value of the points of one series and timestamp, in the order of their partition's log. Counts add up,
 * distributions merge (only their sum is compared), others keep the later value, with the higher map epoch first.
 */
export function resolvePoints(kind: Kind, points: readonly AppliedPoint[]): number {
  if (kind === KIND.count || kind === KIND.distribution) return points.reduce((sum, { value }) => sum + value, 0);
  let last: AppliedPoint | undefined;
  for (const point of points) if (last === undefined || point.mapEpoch >= last.mapEpoch) last = point;
  return last?.value ?? 0;
}

/** Returns the values of one series of a partition by time, ascending. */
export function resolveSeries(kind: Kind, points: readonly AppliedPoint[]): PlainPoint[] {
  return [...Map.groupBy(points, ({ timeMs }) => timeMs)]
    .map(([timeMs, equal]) => ({ timeMs, value: resolvePoints(kind, equal) }))
    .sort((a, b) => a.timeMs - b.timeMs);
}
