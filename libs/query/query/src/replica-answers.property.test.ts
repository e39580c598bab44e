import { describe, expect, test } from '@jest/globals';
import { evenMap, KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { ReplicaStores } from '@tidemark/replicas';
import type { ModelPoint } from '@tidemark/replicas/testing';
import { ModelReplica } from '@tidemark/replicas/testing';
import { SimulatedClock } from '@tidemark/simulation';
import fc from 'fast-check';
import { asAnswered } from './query-reader.ts';
import { QueryService } from './query-service.ts';
import { bruteForce } from './testing/brute-force.ts';

const START_MS = 1_700_000_040_000;
const RANGE_MS = 60_000;
const STEP_MS = 5000;

/** The log of one partition: points in the order of their times, each of which may bring a series that `tags` names. */
const log = fc
  .array(
    fc.record({
      host: fc.nat(9),
      aheadMs: fc.integer({ min: 1, max: 8000 }),
      value: fc.integer({ min: 1, max: 50 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((steps) => {
    const defined = new Map<number, number>();
    let timeMs = START_MS;
    return steps.map(({ host, aheadMs, value }): ModelPoint => {
      timeMs += aheadMs;
      if (!defined.has(host)) defined.set(host, defined.size);
      return {
        ...{ partition: 0, tenant: 'default', metric: 'load', kind: KIND.count, tags: [`host:${host}`], timeMs, value },
        tagsOffset: defined.get(host),
      };
    });
  });

const replica = fc.record({
  /** Records of the logs of `points` and `tags` that it has read at first, and further records at each step. */
  points: fc.nat(100),
  tags: fc.nat(100),
  pace: fc.nat(20),
  trouble: fc.constantFrom('none', 'none', 'slow', 'down', 'frozen', 'failing', 'forgetful'),
  delayMs: fc.integer({ min: 1, max: 400 }),
});

const queries = fc.array(
  fc.record({
    text: fc.constantFrom('sum:load{*}', 'sum:load{*} by {host}', 'sum:load{*} / count:load{*}', 'max:load{host:1}'),
    afterMs: fc.nat(3000),
  }),
  { minLength: 1, maxLength: 5 },
);

describe('an answer of replicas', () => {
  test('an answer is right before its complete_through, for every choice of replicas', async () => {
    let complete = 0;
    let partial = 0;
    await fc.assert(
      fc.asyncProperty(
        log,
        fc.array(replica, { minLength: 1, maxLength: 4 }),
        queries,
        async (points, made, questions) => {
          const clock = new SimulatedClock();
          const tagsEnd = new Set(points.map(({ tags }) => tags[0])).size;
          const replicas = made.map((options, i) => ({
            options,
            model: new ModelReplica(`points-${i}`, clock),
            tags: new ModelReplica(`tags-${i}`, clock),
          }));
          const read = (step: number) => {
            for (const { options, model, tags } of replicas) {
              const share = (first: number) => Math.min(100, first + step * options.pace) / 100;
              const applied = Math.floor(share(options.points) * points.length);
              model.stores.points = points.slice(0, applied);
              // All that was accepted before it is applied, since the log is in the order of times.
              model.stores.watermarksMs.set(0, points[applied]?.timeMs ?? START_MS + 400_000);
              // The model of a tag store knows what its points name, as far as its offset goes.
              tags.stores.points = [...points];
              tags.stores.tagsOffsets.set(0, Math.floor(share(options.tags) * tagsEnd));
            }
          };
          read(0);
          for (const { options, model, tags } of replicas) {
            const { trouble, delayMs } = options;
            for (const each of [model, tags]) {
              each.delayMs = (request) => (trouble === 'slow' && request !== 'positions' ? delayMs * 10 : delayMs / 10);
              each.isDown = trouble === 'down';
              each.isFrozen = trouble === 'frozen';
            }
            if (trouble === 'failing') model.stores.failing.set('points/0', new TidemarkError('internal', 'broken'));
          }
          const stores = new ReplicaStores({
            points: replicas.map(({ model }) => model.points),
            tags: replicas.map(({ tags }) => tags.tags),
            clock,
            limits: { hedgeFloorMs: 10, hedgeCeilingMs: 200 },
          });
          void stores.start();
          const service = new QueryService({
            ...{ stores, clock },
            maps: () => [evenMap(1)],
            latenessMs: () => 0,
            limits: { seriesSetBytes: 32 },
          });
          let step = 0;
          for (const { text: unstepped, afterMs } of questions) {
            await clock.advance(afterMs);
            read(++step);
            for (const { options, model } of replicas) if (options.trouble === 'forgetful') model.stores.forgetSets();
            const text = unstepped.replaceAll(/\}( by \{host\})?/g, (match) => `${match}.rollup(${STEP_MS / 1000})`);
            const range = { fromMs: START_MS, toMs: START_MS + RANGE_MS };
            let isSettled = false;
            const asked = service
              .run('default', { query: text, ...range }, asAnswered)
              .catch((error: unknown) => {
                // Every replica of one of the two stores fails.
                expect(error).toMatchObject({ code: 'unavailable' });
                return undefined;
              })
              .finally(() => {
                isSettled = true;
              });
            await clock.run(() => isSettled, 40_000);
            const reply = await asked;
            if (reply === undefined || reply.errors.length > 0) {
              partial++;
              expect(reply?.completeThroughMs).toBeUndefined();
              continue;
            }
            complete++;
            const throughMs = reply.completeThroughMs ?? 0;
            expect(throughMs).toBeGreaterThan(0);
            const before = (timeMs: number) => timeMs + STEP_MS <= throughMs;
            const found = reply.series.map(({ tagSet, timesMs, values }) => ({
              tags: tagSet,
              values: timesMs.map((timeMs, i) => [timeMs, Math.fround(values[i])]).filter(([timeMs]) => before(timeMs)),
            }));
            const expected = bruteForce(points, text, range.fromMs, range.toMs).flatMap((frame) =>
              frame.series.map(({ tags, values }) => ({
                tags: [...tags],
                values: [...values]
                  .map((value, i) => [frame.fromMs + i * frame.stepMs, Math.fround(value)])
                  .filter(([timeMs, value]) => !Number.isNaN(value) && before(timeMs)),
              })),
            );
            const isThere = ({ values }: { readonly values: readonly unknown[] }) => values.length > 0;
            expect(found.filter(isThere)).toEqual(expected.filter(isThere));
          }
          const stopped = stores.stop();
          await clock.advance(5000);
          await stopped;
        },
      ),
      { numRuns: 300 },
    );
    // The property would also hold if nothing were ever answered.
    expect(complete).toBeGreaterThan(100);
    expect(partial).toBeGreaterThan(10);
  });
});
