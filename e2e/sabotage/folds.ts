import { TIME_FOLD } from '@tidemark/fold';
import type { Aggregate } from '../simulation/wiring.ts';

/** Adds each amount to the step of its timestamp, as if it had no duration. */
export function amountsInOneStep(aggregate: Aggregate): Aggregate {
  return (request) => {
    const timeFold = request.timeFold === TIME_FOLD.sum ? TIME_FOLD.points : request.timeFold;
    return aggregate({ ...request, timeFold });
  };
}

const FOLDS_OF_HELD_VALUES: readonly number[] = [TIME_FOLD.avg, TIME_FOLD.min, TIME_FOLD.max, TIME_FOLD.last];

/** Lets a reading hold until the next one, however long after its interval that is. */
export function holdingForEver(aggregate: Aggregate): Aggregate {
  return async (request) => {
    const reply = await aggregate(request);
    if (!FOLDS_OF_HELD_VALUES.includes(request.timeFold)) return reply;
    for (const { count, sum, sumRest, min, max, last, lastTime } of reply.groups) {
      for (let at = 8; at < count.length; at += 8) {
        if (count.readDoubleLE(at) > 0 || count.readDoubleLE(at - 8) === 0) continue;
        for (const column of [count, sum, sumRest, min, max, last, lastTime]) {
          if (column.length > 0) column.copy(column, at, at - 8, at);
        }
      }
    }
    return reply;
  };
}

/** Says nothing of how far apart points are. */
export function withoutIntervals(aggregate: Aggregate): Aggregate {
  return async (request) => ({ ...(await aggregate(request)), intervalMs: 0, usualIntervalMs: 0 });
}
