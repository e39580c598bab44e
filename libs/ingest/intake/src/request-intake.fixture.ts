import { toHex } from '@tidemark/bytes';
import { decodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { classOfKind, KIND, seriesId, seriesName } from '@tidemark/model';
import { RECORD } from '@tidemark/point-records';
import { IntakeBench, metricIn, PARTITIONS, TENANT } from './intake-bench.fixture.ts';
import type { IntakeRequest, RequestSeries } from './intake-request.ts';
import type { IntakeOptions, IntakeSession } from './intake-session.ts';
import { RequestIntake } from './request-intake.ts';
import type { RequestLimits } from './request-limits.ts';
import type { RequestResult } from './request-outcome.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A wait that no test has: where it is the bound, requests are sent for another reason. */
export const WAIT_MS = 20_000;

/** Starts an intake now, or this long before the end of the day. */
export async function started(
  limits: Partial<RequestLimits> = {},
  options: Partial<IntakeOptions> = {},
  beforeMidnightMs?: number,
) {
  const bench = await IntakeBench.open();
  if (beforeMidnightMs !== undefined) {
    await bench.advance(DAY_MS - (Math.floor(bench.clock.wallMs()) % DAY_MS) - beforeMidnightMs);
  }
  let session: IntakeSession | undefined = await bench.session(options);
  await bench.until(() => session?.isReady === true);
  const intake = new RequestIntake({
    session: () => session,
    clock: bench.clock,
    random: bench.world.random,
    limits,
  });
  const replace = (next: IntakeSession | undefined): void => {
    session = next;
  };
  return { bench, intake, session, replace };
}

export const gauge = (partition: number, ...tags: string[]): RequestSeries => ({
  metric: metricIn(partition),
  kind: 'gauge',
  tags,
});

/** Returns a request with one point of each series, now. */
export function request(
  bench: IntakeBench,
  intake: RequestIntake,
  series: readonly RequestSeries[],
  value = 1,
): IntakeRequest {
  const one = intake.open(TENANT);
  for (const each of series) one.point(one.series(each), bench.acceptClock.nowMs(), value);
  return one;
}

export interface StoredPoint {
  readonly series: string;
  readonly timeMs: number;
  readonly value: number | Uint8Array;
  readonly client: string;
  readonly sequence: number;
  readonly floor: number;
}

/** Returns all points of the log, by the ids of series. */
export async function stored(bench: IntakeBench): Promise<StoredPoint[]> {
  const found: StoredPoint[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const dictionaries = new Map<string, string[]>();
    for (const record of await bench.points(partition)) {
      if (record.type !== RECORD.block) continue;
      const key = (dictionary: number) => `${record.lane}/${record.epoch}/${dictionary}`;
      for (const { dictionary, firstRef, series } of record.definitions) {
        const known = dictionaries.get(key(dictionary)) ?? [];
        dictionaries.set(key(dictionary), known);
        series.forEach((one, i) => {
          known[firstRef + i] = toHex(one.seriesId);
        });
      }
      for (const { dictionary, share, clientSession, sequence, floor } of record.spans) {
        const points = new PointColumns();
        const sketches = new SketchColumns();
        decodeShare(share, points, sketches);
        const ids = dictionaries.get(key(dictionary)) ?? [];
        const client = toHex(clientSession);
        for (let i = 0; i < points.length; i++) {
          const [timeMs, value] = [points.timesMs[i], points.values[i]];
          found.push({ series: ids[points.refs[i]], timeMs, value, client, sequence, floor });
        }
        for (let i = 0; i < sketches.length; i++) {
          const [timeMs, value] = [sketches.timesMs[i], Uint8Array.from(sketches.payloads[i])];
          found.push({ series: ids[sketches.refs[i]], timeMs, value, client, sequence, floor });
        }
      }
    }
  }
  return found;
}

/** Returns the number of points of each batch, in the order of the batches. */
export function batchesOf(points: readonly StoredPoint[]): number[] {
  const bySequence = Map.groupBy(points, ({ sequence }) => sequence);
  return [...bySequence].sort(([a], [b]) => a - b).map(([, ofBatch]) => ofBatch.length);
}

export function idOf({ metric, kind, tags }: RequestSeries): string {
  return toHex(seriesId(seriesName(TENANT, metric, classOfKind(KIND[kind]), tags)));
}

export const reasons = ({ rejections }: RequestResult) => rejections.map(({ reason, points }) => [reason, points]);
