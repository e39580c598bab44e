import { AggregatorPartition } from '@tidemark/aggregator';
import { SERIES_CLASS, seriesName } from '@tidemark/model';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import type { ErrorCode } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagPartition } from '@tidemark/tag-store';
import { LogMemory } from '../../../libs/log/log-consumer/src/log-memory.ts';
import { requestOf } from '../../../libs/store/point-store/src/testing/aggregates.ts';
import { recordOf } from '../../../libs/store/tag-store/src/testing/facts.ts';
import { type FuzzTarget, parsedLater } from '../target.ts';
import { sealedAt, sealedAtEnd } from './sealed.ts';
import { packEntries, unpackEntries } from './stored-entries.ts';

/** A damaged store says so, or that it is another program's. */
const DAMAGED: readonly ErrorCode[] = ['data_loss', 'failed_precondition'];
const CHECKSUM_BYTES = 4;
/** Pages have a checksum at their end. */
const PAGE_KEYS = '10';
/** The key-value store of tests searches all entries at each call. */
const MAX_GROWN_BYTES = 8 * 1024;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1_000, bucketMs: 10_000 };
const RANGE = { fromMs: 0, toMs: 100_000, stepMs: 10_000 };

/** Lets a store read what was written, commit, and returns its entries. */
function logOfPoints(): LogBuilder {
  const builder = new LogBuilder();
  const gauge = { series: 0, timeMs: 1_500, value: 5 };
  builder.bare(RECORD.open, 0, 1_000);
  builder.block(0, 2_000, [{ client: 0, sequence: 0, points: [gauge, { ...gauge, timeMs: 12_000, value: 0.1 }] }]);
  builder.block(0, 12_500, [
    { client: 0, sequence: 1, mapEpoch: 2, points: [gauge, { ...gauge, series: 1 }, { ...gauge, series: 3 }] },
  ]);
  return builder;
}

async function openPoints(keyValue: MemoryKeyValue): Promise<PointPartition> {
  return PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3_000 });
}

const pointStore: FuzzTarget = {
  name: 'point-store',
  maxGrownBytes: MAX_GROWN_BYTES,
  seeds: async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await openPoints(keyValue);
    for (const record of logOfPoints().records) {
      partition.apply(record);
      if (partition.wantsCommit) await partition.commit();
    }
    partition.skip('an example', { records: 1 });
    await partition.commit();
    return [packEntries(keyValue.content)];
  },
  run: async (input) => {
    const keyValue = unpackEntries(input, (value, key) => (key.startsWith(PAGE_KEYS) ? sealedAtEnd(value) : value));
    await parsedLater(DAMAGED, async () => {
      const partition = await openPoints(keyValue);
      for (const series of [0, 1]) await partition.aggregate(requestOf([series], RANGE, 'sum'));
      await partition.aggregate(requestOf([3], RANGE, 'sketch'));
      await partition.stateHash();
      return partition.status;
    });
  },
};

const tagStore: FuzzTarget = {
  name: 'tag-store',
  maxGrownBytes: MAX_GROWN_BYTES,
  seeds: async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    const first = seriesName('acme', 'cpu', SERIES_CLASS.reading, ['env:prod', 'host:a']);
    const second = seriesName('acme', 'mem', SERIES_CLASS.count, ['env:prod']);
    partition.apply(
      recordOf(0, [
        { name: first, day: 20_000, isNamed: true },
        { name: second, day: 20_001, isNamed: true },
        { name: seriesName('other', 'cpu', SERIES_CLASS.reading, []), day: 20_001, isNamed: false },
      ]),
    );
    partition.skip('a reason', { records: 1 });
    await partition.commit();
    return [packEntries(keyValue.content)];
  },
  run: async (input) => {
    // Every value has a checksum first.
    const keyValue = unpackEntries(input, (value) => sealedAt(value, 0, CHECKSUM_BYTES));
    await parsedLater(DAMAGED, async () => {
      const partition = await TagPartition.open({ keyValue });
      const range = { fromMs: 0, toMs: 2 ** 42 };
      const limits = { maxSeries: 1000, maxGroups: 1000 };
      const filter = { filter: undefined };
      partition.match({ partition: 0, tenant: 'acme', metric: 'cpu', filter, groupBy: ['env'], ...range, ...limits });
      partition.describeMetrics({ partition: 0, tenant: 'acme', contains: '', fromMs: 0, limit: 100, names: [] });
      partition.describeTags({ partition: 0, tenant: 'acme', metric: 'cpu', ...range, limit: 100 } as never);
      partition.budgets(10, 10);
      partition.stateHash();
      return partition.status();
    });
  },
};

const aggregator: FuzzTarget = {
  name: 'aggregator-store',
  maxGrownBytes: MAX_GROWN_BYTES,
  seeds: async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await AggregatorPartition.open({ partition: 0, keyValue });
    for (const record of logOfPoints().records) partition.apply(record);
    await partition.commit();
    return [packEntries(keyValue.content)];
  },
  run: async (input) => {
    await parsedLater(DAMAGED, () => AggregatorPartition.open({ partition: 0, keyValue: unpackEntries(input) }));
  },
};

const logMemory: FuzzTarget = {
  name: 'log-memory',
  maxGrownBytes: MAX_GROWN_BYTES,
  seeds: async () => {
    const keyValue = new MemoryKeyValue();
    const memory = await LogMemory.load(keyValue);
    memory.note({ offset: 4, value: Buffer.alloc(0), appendedMs: 1, generation: 7 } as never);
    await memory.save();
    return [packEntries(keyValue.content)];
  },
  run: async (input) => {
    await parsedLater(DAMAGED, () => LogMemory.load(unpackEntries(input)));
  },
};

export const STORES: readonly FuzzTarget[] = [pointStore, tagStore, aggregator, logMemory];
