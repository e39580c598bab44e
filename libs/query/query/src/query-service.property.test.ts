import { describe, expect, test } from '@jest/globals';
import { evenMap, KIND, metricId, type PartitionMap, partitionOf } from '@tidemark/model';
import { type ModelPoint, ModelStores } from '@tidemark/replicas/testing';
import fc from 'fast-check';
import { asAnswered } from './query-reader.ts';
import { QueryService } from './query-service.ts';
import { bruteForce } from './testing/brute-force.ts';
import { testClock } from './testing/test-clock.ts';

const METRICS = ['load', 'requests', 'both'] as const;
const KINDS = { load: [KIND.gauge], requests: [KIND.count], both: [KIND.gauge, KIND.count] } as const;
const BEFORE: PartitionMap = evenMap(3, 1);
/** All slots moved by one partition. */
const AFTER: PartitionMap = { ...BEFORE, epoch: 2, slots: BEFORE.slots.map((partition) => (partition + 1) % 3) };
/** When the slots moved: a multiple of every step below. */
const MOVED_MS = 1_700_000_040_000;

const point = fc
  .record({
    metric: fc.constantFrom(...METRICS),
    host: fc.constantFrom('a', 'b', 'c'),
    env: fc.constantFrom('prod', 'dev', undefined),
    kind: fc.nat(1),
    timeMs: fc.integer({ min: MOVED_MS - 45_000, max: MOVED_MS + 45_000 }),
    value: fc.integer({ min: -50, max: 50 }),
    agoMs: fc.constantFrom(0, 0, 0, 3_600_000, 86_400_000),
  })
  .map(({ metric, host, env, kind, timeMs: atMs, value, agoMs }): ModelPoint => {
    const timeMs = atMs - agoMs;
    const kinds = KINDS[metric];
    return {
      partition: partitionOf(timeMs < MOVED_MS ? BEFORE : AFTER, metricId('default', metric)),
      tenant: 'default',
      metric,
      kind: kinds[kind % kinds.length],
      tags: env === undefined ? [`host:${host}`] : [`env:${env}`, `host:${host}`],
      timeMs,
      value,
    };
  });

const leaf = fc
  .record({
    aggregator: fc.constantFrom('avg', 'sum', 'min', 'max', 'count', 'last'),
    metric: fc.constantFrom(...METRICS),
    filter: fc.constantFrom('*', 'env:prod', '!env:prod', 'host:a OR env:d*', 'host IN (b, c)', 'host:zzz'),
    groups: fc.constantFrom('', ' by {host}', ' by {host,env}'),
    method: fc.constantFrom('', 'max, ', 'last, ', 'sum, '),
  })
  .map((l) => ({
    ...l,
    text: (seconds: number) => `${l.aggregator}:${l.metric}{${l.filter}}${l.groups}.rollup(${l.method}${seconds})`,
  }));

const query = fc
  .record({ left: leaf, right: leaf, seconds: fc.constantFrom(5, 20, 40), shape: fc.nat(6) })
  .map(({ left, right, seconds, shape }) => {
    const text = left.text(seconds);
    if (shape === 0) return { text, laterMs: 0 };
    if (shape === 1) return { text: `${text}, ${right.text(20)}`, laterMs: 0 };
    if (shape === 2) return { text: `top(cumsum(${text}), 2)`, laterMs: 0 };
    if (shape === 4) {
      const moving = `timeshift(moving_rollup(${right.text(20)}, 60), -7)`;
      return { text: `median_3(timeshift(${text}, -40)), ${moving}`, laterMs: 7000 };
    }
    if (shape === 5) {
      return { text: `calendar_shift(top(ewma_3(${text}), 2), '-1d', 'Europe/Berlin')`, laterMs: 86_400_000 };
    }
    if (shape === 6) return { text: `cumsum(hour_before(${text})), median_5(cumsum(${right.text(5)}))`, laterMs: 0 };
    // Two series with the same tags don't join, which the metric `both` would have.
    return { text: left.metric === 'both' ? text : `${text} - 2 * ${text}`, laterMs: 0 };
  });

const range = fc
  .tuple(fc.integer({ min: -50_000, max: 50_000 }), fc.integer({ min: 1, max: 60_000 }))
  .map(([from, length]) => ({ fromMs: MOVED_MS + from, toMs: MOVED_MS + from + length }));

describe('a query over partitions', () => {
  test('a query has the result of its evaluation over the list of all points, also when slots have moved', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(point, { maxLength: 60 }),
        query,
        range,
        async (points, { text, laterMs }, { fromMs, toMs }) => {
          // Equal timestamps of one series are the store's to resolve.
          const distinct = [...new Map(points.map((p) => [`${p.metric}${p.kind}${p.tags}${p.timeMs}`, p])).values()];
          const stores = new ModelStores();
          stores.points = distinct;
          for (let partition = 0; partition < 3; partition++) stores.watermarksMs.set(partition, toMs);
          const service = new QueryService({
            stores,
            maps: () => [BEFORE, AFTER],
            latenessMs: () => 3000,
            clock: testClock(),
            limits: { seriesSetBytes: 32, concurrentRequests: 2 },
          });
          const expected = bruteForce(distinct, text, fromMs, toMs).flatMap((frame) =>
            frame.series.map(({ tags, values }) => ({
              tagSet: tags,
              points: [...values].flatMap((value, i) =>
                Number.isNaN(value) ? [] : [[frame.fromMs + i * frame.stepMs, Math.fround(value)]],
              ),
            })),
          );
          // The second time, series sets are named by digest, and one store has forgotten them.
          for (const again of [false, true]) {
            if (again) stores.forgetSets();
            const reply = await service.run('default', { query: text, fromMs, toMs }, asAnswered);
            const found = reply.series.map(({ tagSet, timesMs, values }) => ({
              tagSet,
              points: timesMs.map((time, i) => [time, Math.fround(values[i])]),
            }));
            expect(found).toEqual(expected.filter(({ points: any }) => any.length > 0));
            // What is shifted is complete later by the shift.
            expect(reply.completeThroughMs).toBe(toMs - 3000 + laterMs);
            expect(reply.errors).toEqual([]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
