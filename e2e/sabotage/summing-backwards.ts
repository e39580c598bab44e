import { SPACE_FOLD } from '@tidemark/fold';
import { ID_BYTES } from '@tidemark/model';
import type { Aggregate } from '../simulation/wiring.ts';

/** Adds sums over series from the last series to the first. */
export function summingBackwards(aggregate: Aggregate): Aggregate {
  return async (request) => {
    const reply = await aggregate(request);
    if (request.spaceFold !== SPACE_FOLD.sum) return reply;
    const groups = await Promise.all(
      reply.groups.map(async (group, i) => {
        const { series } = request.groups[i];
        // A set that is named only by its digest can't be reversed.
        if (series.length === 0) return group;
        const sum = Buffer.alloc(group.sum.length);
        for (let at = series.length - ID_BYTES; at >= 0; at -= ID_BYTES) {
          const one = [{ digest: Buffer.alloc(0), series: series.subarray(at, at + ID_BYTES) }];
          const alone = (await aggregate({ ...request, groups: one })).groups[0].sum;
          for (let step = 0; step < alone.length; step += 8) {
            sum.writeDoubleLE(sum.readDoubleLE(step) + alone.readDoubleLE(step), step);
          }
        }
        return { ...group, sum };
      }),
    );
    return { ...reply, groups };
  };
}
