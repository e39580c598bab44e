import { DAY_MS } from '@tidemark/model';
import { LogBuilder, metricIdOf, seriesIdOf, type TestPoint, type TestSpan } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { DayPoints, DEFAULT_POINT_STORE_LIMITS, generationsOf, PageCodec, PointPartition } from '@tidemark/point-store';
import { type LogRecord, type ObjectStore, WorkSlice } from '@tidemark/ports';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';
import { archiveDay, type NamesById } from '../archive-day.ts';
import type { ArchivedDay } from '../day-manifest.ts';
import type { DayPlace } from '../day-place.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 600_000;
export const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, bucketMs: 2 * HOUR_MS };
/** 2024-10-04. */
export const DAY = 20_000;
/** Series of two metrics, a reading and a count. */
const SERIES = [0, 4, 8, 12, 1, 5];

export interface DayLog {
  readonly records: readonly LogRecord[];
  /** All points, in the order of the log. */
  readonly points: readonly (TestPoint & { readonly offset: number; readonly mapEpoch: number })[];
}

/**
 * A point of each series each ten minutes for three days, and of the series `late` some that come when their day is closed, at times
 * that have a point already. Batches have the map epoch `mapEpoch`, those of late points `lateEpoch`.
 */
export function dayLog({ series = SERIES, late = [4], mapEpoch = 1, lateEpoch = 1 } = {}): DayLog {
  const builder = new LogBuilder();
  const startMs = DAY * DAY_MS;
  builder.bare(RECORD.open, 0, startMs);
  const points: (TestPoint & { offset: number; mapEpoch: number })[] = [];
  for (let i = 0; i < 3 * 144 + 12; i++) {
    const timeMs = startMs + i * STEP_MS;
    const own = series.map((one) => ({ series: one, timeMs, value: i + one / 8 }));
    const spans: TestSpan[] = [{ client: 0, sequence: i, mapEpoch, points: own }];
    if (i % 40 === 39) {
      const later = late.map((one) => ({ series: one, timeMs: timeMs - 50 * HOUR_MS, value: -i }));
      spans.push({ client: 1, sequence: (i - 39) / 40, mapEpoch: lateEpoch, points: later });
    }
    builder.block(0, timeMs, spans);
    for (const { points: all, mapEpoch: epoch = 1 } of spans) {
      for (const one of all) points.push({ ...one, offset: i + 1, mapEpoch: epoch });
    }
  }
  return { records: builder.records, points };
}

/**
 * Reads a log, with a commit and a start behind each record of `stops`. Returns the database and the generations of the day `DAY`.
 */
export async function readLog(
  { records }: Pick<DayLog, 'records'>,
  stops: readonly number[] = [],
): Promise<{ content: Content; places: DayPlace[] }> {
  const content: Content = new Map();
  const places = new Map<number, DayPlace>();
  const open = () => {
    const keyValue = new MemoryKeyValue(content);
    return PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000 });
  };
  let partition = await open();
  for (const record of records) {
    partition.apply(record);
    const isStop = stops.includes(record.offset);
    if (partition.wantsCommit || isStop) await partition.commit();
    for (const { day, fromOffset, toOffset } of partition.status.closedDays.flatMap(generationsOf)) {
      if (day === DAY) places.set(toOffset, { partition: 0, day, logId: 'a1', fromOffset, toOffset });
    }
    if (!isStop) continue;
    await partition.stop();
    partition = await open();
  }
  await partition.commit();
  await partition.whenClosed();
  return { content, places: [...places.values()] };
}

/** Metrics are `shop.0` to `shop.3` of the tenant `acme`. */
export const NAMES: NamesById = {
  hasGaps: false,
  metricOf(id) {
    const found = [0, 1, 2, 3].find((series) => Buffer.compare(metricIdOf(series), id) === 0);
    return found === undefined ? undefined : { tenant: 'acme', metric: `shop.${found}` };
  },
  tagsOf(id) {
    const found = Array.from({ length: 16 }, (_, i) => i).find(
      (series) => Buffer.compare(seriesIdOf(series), id) === 0,
    );
    return found === undefined ? undefined : ['env:test', `host:${found}`];
  },
};

/** Archives a generation of a database. */
export async function archiveGeneration(
  objects: ObjectStore,
  content: Content,
  place: DayPlace,
  { segmentBytes, names = NAMES }: { segmentBytes?: number; names?: NamesById } = {},
): Promise<ArchivedDay> {
  const codec = new PageCodec();
  const slice = new WorkSlice(undefined, undefined);
  const { fromOffset, toOffset: offset, day } = place;
  const cut = { fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS, fromOffset, offset };
  const options = { partition: 0, keyValue: new MemoryKeyValue(content), limits: LIMITS, codec };
  const points = await DayPoints.open(options, cut, slice, 500);
  try {
    const parts = { objects, points, names, pages: codec.writer, slice };
    return await archiveDay(parts, place, segmentBytes === undefined ? {} : { segmentBytes });
  } finally {
    points.close();
  }
}
