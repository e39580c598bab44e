import type { AggregateReply, AggregateRequest, GroupPartial } from '@tidemark/contract';
import { type packPartial, SPACE_FOLD, TIME_FOLD, type TimeFoldName } from '@tidemark/fold';
import { SERIES_CLASS } from '@tidemark/model';
import { classOf, metricIdOf, seriesIdOf } from '@tidemark/point-log/testing';
import type { PointPartition } from '../point-partition.ts';

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** A request for series of one metric, each in a group of its own, so that the space fold changes nothing. */
export function requestOf(
  series: readonly number[],
  range: Range,
  fold: TimeFoldName,
  change: Partial<AggregateRequest> = {},
): AggregateRequest {
  return {
    partition: 0,
    metricId: metricIdOf(series[0]),
    ...range,
    timeFold: TIME_FOLD[fold],
    spaceFold: classOf(series[0]) === SERIES_CLASS.distribution ? SPACE_FOLD.sketch : SPACE_FOLD.max,
    groups: series.map((one) => ({ digest: Buffer.alloc(0), series: seriesIdOf(one) })),
    tagsOffset: 0,
    maxPoints: 0,
    latenessMs: 3_000,
    ...change,
  };
}

/** One value per step for each series, `undefined` where there is none. */
export async function valuesOf(partition: PointPartition, request: AggregateRequest) {
  const reply = await partition.aggregate(request);
  return { reply, values: reply.groups.map((group) => stepsOf(group)) };
}

function stepsOf({ count, max }: AggregateReply['groups'][number]): (number | undefined)[] {
  return Array.from({ length: count.length / 8 }, (_, i) =>
    count.readDoubleLE(i * 8) > 0 ? max.readDoubleLE(i * 8) : undefined,
  );
}

type Packed = Omit<GroupPartial, 'sketches'> | ReturnType<typeof packPartial>;

/** The bits of the values of a group. */
export function bitsOf({ count, sum, sumRest, sumScaled, min, max, last, lastTime }: Packed) {
  const columns = Object.entries({ count, sum, sumRest, min, max, last, lastTime });
  return {
    sumScaled,
    ...Object.fromEntries(columns.map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')])),
  };
}
