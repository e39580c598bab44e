import { KIND, type Kind } from '@tidemark/model';
import type { AppliedPoint } from './plain-consumer.ts';

/**
 * What points of one series and timestamp, in the order of their partition's log, come to: counts add up, distributions
 * merge (their sum stands for them here), others keep the later, of the higher map epoch first.
 */
export function resolvePoints(kind: Kind, points: readonly AppliedPoint[]): number {
  if (kind === KIND.count || kind === KIND.distribution) return points.reduce((sum, { value }) => sum + value, 0);
  let last: AppliedPoint | undefined;
  for (const point of points) if (last === undefined || point.mapEpoch >= last.mapEpoch) last = point;
  return last?.value ?? 0;
}
