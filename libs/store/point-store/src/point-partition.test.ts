import { describe, expect, test } from '@jest/globals';
import { TIME_FOLD, type TimeFoldName } from '@tidemark/fold';
import { foldPlainly } from '@tidemark/fold/testing';
import { SERIES_CLASS } from '@tidemark/model';
import {
  classOf,
  LATENESS_MS,
  play,
  resolved,
  SERIES,
  START_MS,
  script,
  statedMsOf,
} from '@tidemark/point-log/testing';
import type { LogRecord } from '@tidemark/ports';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition, type PointStoreLimits } from './index.ts';
import { requestOf, valuesOf } from './testing/aggregates.ts';

const LIMITS: PointStoreLimits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 2_000, bucketMs: 10_000 };

function open(keyValue: MemoryKeyValue, limits: PointStoreLimits = LIMITS): Promise<PointPartition> {
  return PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => LATENESS_MS });
}

interface Schedule {
  readonly limits: PointStoreLimits;
  /** The event after the record at an offset: an extra commit, a stop with a commit, or a crash. */
  readonly events: ReadonlyMap<number, 'commit' | 'stop' | 'crash'>;
}

const schedule = fc
  .record({
    commitRows: fc.constantFrom(1, 20, 1_000_000),
    recentBytes: fc.constantFrom(0, 500, 1_000_000),
    events: fc.array(fc.tuple(fc.nat(70), fc.constantFrom('commit' as const, 'stop' as const, 'crash' as const)), {
      maxLength: 8,
    }),
  })
  .map(
    ({ commitRows, recentBytes, events }): Schedule => ({
      limits: { ...LIMITS, commitRows, recentBytes },
      events: new Map(events),
    }),
  );

/** Consumes a log as a partition's consumer does. After a crash it continues from the committed offset. */
async function consume(records: readonly LogRecord[], { limits, events }: Schedule): Promise<PointPartition> {
  const content: Content = new Map();
  const pending = new Map(events);
  let keyValue = new MemoryKeyValue(content);
  let partition = await open(keyValue, limits);
  while (partition.wantsCommit || partition.nextOffset < records.length) {
    if (partition.wantsCommit) {
      await partition.commit();
      continue;
    }
    const { nextOffset } = partition;
    partition.apply(records[nextOffset]);
    const event = pending.get(nextOffset);
    pending.delete(nextOffset);
    if (event === 'commit' || event === 'stop') await partition.commit();
    if (event === 'crash' || event === 'stop') {
      keyValue.crash();
      keyValue = new MemoryKeyValue(content);
      partition = await open(keyValue, limits);
    }
  }
  await partition.whenClosed();
  return partition;
}

describe('PointPartition', () => {
  test('answers, counts and hashes are functions of the log, for any times of commits, stops and kills', async () => {
    await fc.assert(
      fc.asyncProperty(script, schedule, schedule, async (steps, one, other) => {
        const { builder, model } = play(steps);
        const first = await consume(builder.records, one);
        const second = await consume(builder.records, other);
        expect(await second.stateHash()).toBe(await first.stateHash());
        expect(second.status.stateHashes).toEqual(first.status.stateHashes);
        for (const { status } of [first, second]) {
          expect(status.watermarkMs).toBe(Number.isFinite(model.watermarkMs) ? model.watermarkMs : undefined);
          const { points, latePoints, duplicatePoints } = status;
          expect({ points, late: latePoints, duplicate: duplicatePoints }).toEqual(model.counts);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('aggregates equal those of a plain model, for any range and fold', async () => {
    const range = fc.record({
      fromMs: fc.integer({ min: -100_000, max: 60_000 }).map((ms) => START_MS + ms),
      lengthMs: fc.integer({ min: 1, max: 100_000 }),
      stepMs: fc.integer({ min: 700, max: 50_000 }),
    });
    const folds = fc.constantFrom<TimeFoldName[]>(
      'sum',
      'avg',
      'min',
      'max',
      'count',
      'last',
      'increase',
      'rate',
      'points',
    );
    await fc.assert(
      fc.asyncProperty(
        script,
        schedule,
        fc.array(fc.tuple(range, folds), { maxLength: 6 }),
        async (steps, how, asked) => {
          const { builder, model } = play(steps);
          const partition = await consume(builder.records, how);
          for (const [{ fromMs, lengthMs, stepMs }, fold] of asked) {
            const steps = { fromMs, toMs: fromMs + lengthMs, stepMs };
            for (const metric of [0, 1, 2]) {
              const series = Array.from({ length: SERIES }, (_, i) => i).filter((i) => i % 4 === metric);
              const { values } = await valuesOf(partition, requestOf(series, steps, fold));
              const grid = { fromMs, stepMs, steps: Math.ceil(lengthMs / stepMs) };
              const isAmount = classOf(metric) === SERIES_CLASS.count;
              series.forEach((one, i) => {
                const plain = foldPlainly(resolved(model, one), grid, TIME_FOLD[fold], isAmount, statedMsOf(one));
                expect(values[i].map((value, k) => settled(value, plain[k]))).toEqual(plain);
              });
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** The expected value where the other is as good as equal: the plain model adds in another order. */
function settled(value: number | undefined, expected: number | undefined): number | undefined {
  if (value === undefined || expected === undefined) return value;
  return Math.abs(value - expected) <= 1e-9 * Math.max(Math.abs(value), Math.abs(expected)) ? expected : value;
}
