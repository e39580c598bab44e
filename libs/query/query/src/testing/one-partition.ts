import { evenMap, KIND } from '@tidemark/model';
import { type ModelPoint, ModelStores } from '@tidemark/replicas/testing';
import { asAnswered } from '../query-reader.ts';
import { QueryService, type QueryServiceOptions } from '../query-service.ts';
import { testClock } from './test-clock.ts';

export const FROM_MS = 1_700_000_000_000;
export const TO_MS = FROM_MS + 60_000;
export const LATENESS_MS = 3000;

/** Partition 0 before, partition 1 now: every metric is requested from both. */
export const TWO_OWNERS = () => [evenMap(1, 1), { epoch: 2, partitions: 2, slots: evenMap(1).slots.map(() => 1) }];

/** A point of the metric `load`. */
export function gauge(timeMs: number, value: number, more: Partial<ModelPoint> = {}): ModelPoint {
  return {
    partition: 0,
    tenant: 'default',
    metric: 'load',
    kind: KIND.gauge,
    tags: ['host:a'],
    timeMs,
    value,
    ...more,
  };
}

/** A query service over model stores: one partition by default, with its watermark at the end of the range. */
export function setUp(points: readonly ModelPoint[], options: Partial<QueryServiceOptions> = {}) {
  const stores = new ModelStores();
  stores.points = [...points];
  stores.watermarksMs.set(0, TO_MS);
  const clock = testClock();
  const service = new QueryService({
    stores,
    maps: () => [evenMap(1)],
    latenessMs: () => LATENESS_MS,
    clock,
    ...options,
  });
  const run = (query: string, signal?: AbortSignal) =>
    service.run('default', { query, fromMs: FROM_MS, toMs: TO_MS }, asAnswered, signal);
  return { stores, clock, service, run };
}
