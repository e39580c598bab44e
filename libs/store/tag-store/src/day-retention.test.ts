import { describe, expect, test } from '@jest/globals';
import type { MatchRequest } from '@tidemark/contract';
import { DAY_MS, SERIES_CLASS, type SeriesName, seriesId, seriesName } from '@tidemark/model';
import type { LogRecord } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagRecordWriter } from '@tidemark/tag-records';
import fc from 'fast-check';
import { TagPartition } from './index.ts';
import { type Fact, recordOf } from './testing/facts.ts';
import { commitRenumbered } from './testing/turns.ts';

const RETENTION_DAYS = 3;
const DAY_SERIES = 400;

const name = (metric: string, n: number): SeriesName =>
  seriesName('acme', metric, SERIES_CLASS.reading, [`pod:${n}`, `zone:${n % 3}`]);

function open(keyValue: MemoryKeyValue, retentionDays = RETENTION_DAYS): Promise<TagPartition> {
  return TagPartition.open({ keyValue, retentionDays, commitRecords: 1 });
}

function request(metric: string): MatchRequest {
  const everything = { fromMs: 0, toMs: 100 * DAY_MS, maxSeries: 0, maxGroups: 0 };
  return { partition: 0, tenant: 'acme', metric, filter: undefined, groupBy: [], ...everything };
}

/** A day of churn: a series that stays, and many that exist on this day alone, with a metric of their own. */
function dayOf(offset: number, day: number): LogRecord {
  const fresh = Array.from({ length: DAY_SERIES }, (_, n) =>
    name(n % 2 === 0 ? 'cpu' : `m${day}`, day * DAY_SERIES + n),
  );
  return recordOf(
    offset,
    [name('cpu', 0), ...fresh].map((one) => ({ name: one, day, isNamed: true })),
  );
}

describe('days of series', () => {
  test('expire, with the series, tags and metrics that have none left', async () => {
    const keyValue = new MemoryKeyValue();
    let partition = await open(keyValue);
    const sizes: number[] = [];
    for (let day = 10; day < 40; day++) {
      partition.apply(dayOf(partition.nextOffset, day));
      await commitRenumbered(partition);
      if (day % 7 === 0) partition = await open(keyValue);
      sizes.push([...keyValue.content.values()].reduce((sum, value) => sum + value.length, 0));
    }
    const { series, metrics, tags } = partition.status();
    // Those of the kept days, and as many again until the next renumbering.
    expect(series).toBeLessThan(DAY_SERIES * (RETENTION_DAYS + 2) * 2);
    expect(metrics).toBeLessThan(12);
    expect(tags).toBeLessThan(DAY_SERIES * (RETENTION_DAYS + 2) * 2);
    expect(Math.max(...sizes.slice(20))).toBeLessThan(Math.max(...sizes.slice(5, 15)) * 1.2);
    expect(partition.seriesCount('acme', 'cpu', 39)).toBe(DAY_SERIES / 2 + 1);
    expect(partition.budgets(0, 0, 39).tenants).toEqual([{ tenant: 'acme', series: DAY_SERIES + 1 }]);
    const old = partition.match(request('m10'));
    expect(old.groups.filter(({ series }) => series.length > 0)).toEqual([]);
  });

  test('are named by their end in each answer, once some have expired', async () => {
    const keyValue = new MemoryKeyValue();
    let partition = await open(keyValue);
    const deletedBefore: (number | undefined)[] = [];
    for (const day of [10, 11, 13, 14, 15, 17]) {
      partition.apply(dayOf(partition.nextOffset, day));
      await partition.commit();
      if (day === 15) partition = await open(keyValue);
      const { deletedBeforeMs } = partition.match(request(`m${day}`));
      deletedBefore.push(deletedBeforeMs);
    }
    const days = [undefined, undefined, undefined, 11 * DAY_MS, 12 * DAY_MS, 14 * DAY_MS];
    expect(deletedBefore).toEqual(days);
    const state = () => partition.match(request('m17')).deletedBeforeMs;
    // Nothing between the last expired day and the next one was deleted, and a day that is seen again has lost what it had.
    partition.apply(dayOf(partition.nextOffset, 60));
    partition.apply(dayOf(partition.nextOffset, 61));
    expect(state()).toBe(18 * DAY_MS);
    partition.apply(recordOf(partition.nextOffset, [{ name: name('a', 1), day: 12, isNamed: true }], 61));
    await partition.commit();
    partition = await open(keyValue);
    expect(state()).toBe(18 * DAY_MS);
  });

  test('do not expire beyond two at a time, although the time of the log is far ahead', async () => {
    const partition = await open(new MemoryKeyValue());
    for (let day = 10; day < 14; day++) partition.apply(dayOf(partition.nextOffset, day));
    partition.apply(recordOf(partition.nextOffset, [], 400));
    const seen = () => [10, 11, 12, 13].map((day) => partition.seriesCount('acme', `m${day}`, day));
    expect(seen()).toEqual([0, 0, 200, 200]);
    // The clock is right again: nothing that is kept by it expires.
    for (const day of [14, 15]) partition.apply(recordOf(partition.nextOffset, [], day));
    expect(seen()).toEqual([0, 0, 200, 200]);
  });

  test('do not expire because a series will be looked for on days to come', async () => {
    const partition = await open(new MemoryKeyValue());
    for (let day = 10; day < 14; day++) partition.apply(dayOf(partition.nextOffset, day));
    const weekly = Array.from({ length: 60 }, (_, n) => ({ name: name('a', 1), day: 13 + n, isNamed: true }));
    partition.apply(recordOf(partition.nextOffset, weekly, 13));
    expect([10, 11, 12, 13].map((day) => partition.seriesCount('acme', `m${day}`, day))).toEqual([200, 200, 200, 200]);
  });

  test('stay when nothing expires', async () => {
    const partition = await open(new MemoryKeyValue(), 0);
    for (let day = 10; day < 20; day++) partition.apply(dayOf(partition.nextOffset, day));
    expect(partition.seriesCount('acme', 'm10')).toBe(200);
  });

  test('what is stated of a metric survives its series', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await open(keyValue);
    partition.apply(dayOf(0, 10));
    const record = new TagRecordWriter();
    record.addStatement('acme', 'm10', 'user', { unit: 'byte' });
    partition.apply({ offset: 1, appendTimeMs: 0, value: record.take() });
    for (let day = 11; day < 25; day++) {
      partition.apply(dayOf(partition.nextOffset, day));
      await partition.commit();
    }
    const reopened = await open(keyValue);
    for (const one of [partition, reopened]) {
      const { metadata } = one.match(request('m10'));
      expect(metadata?.user?.unit).toBe('byte');
    }
  });

  test('days that waited for a definition begin in the same order with a restart and without', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await open(keyValue);
    for (let day = 10; day < 14; day++) partition.apply(dayOf(partition.nextOffset, day));
    const waiting = (day: number, isNamed: boolean): Fact => ({ name: name('late', 1), day, isNamed });
    partition.apply(recordOf(4, [waiting(31, false), waiting(30, false)], 13));
    await partition.commit();
    const restarted = await open(keyValue);
    for (const one of [partition, restarted]) {
      one.apply(recordOf(5, [waiting(31, true)]));
      one.apply(recordOf(6, [], 32));
    }
    expect(restarted.stateHash()).toBe(partition.stateHash());
    expect(restarted.seriesCount('acme', 'm13')).toBe(0);
  });

  test('a series whose days have all expired is known again once it is named, renumbered or not', async () => {
    const renumbered = await open(new MemoryKeyValue());
    const plain = await open(new MemoryKeyValue());
    const series = name('a', 7);
    const apply = async (record: LogRecord) => {
      plain.apply(record);
      renumbered.apply(record);
      await commitRenumbered(renumbered);
      expect(renumbered.stateHash()).toBe(plain.stateHash());
    };
    const counts = () => [renumbered, plain].map((one) => one.seriesCount('acme', 'a', 10));
    await apply(recordOf(0, [{ name: series, day: 10, isNamed: true }]));
    for (let day = 11; day < 20; day++) await apply(dayOf(plain.nextOffset, day));
    expect(renumbered.status().series).toBeLessThan(plain.status().series);
    await apply(recordOf(plain.nextOffset, [{ name: series, day: 19, isNamed: false }]));
    expect(counts()).toEqual([0, 0]);
    await apply(recordOf(plain.nextOffset, [{ name: series, day: 18, isNamed: true }]));
    expect(counts()).toEqual([1, 1]);
    for (const one of [renumbered, plain]) expect(one.seriesCount('acme', 'a', 19)).toBe(1);
  });

  test('the state is the same with any commits, failures and restarts', async () => {
    const fact = fc.record({
      name: fc.nat(30).map((n) => name(n % 2 === 0 ? 'a' : 'b', n)),
      day: fc.nat(2),
      isNamed: fc.boolean(),
    });
    const step = fc.record({
      facts: fc.array(fact, { maxLength: 5 }),
      ahead: fc.nat(2),
      action: fc.constantFrom('nothing', 'commit', 'fail', 'restart'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const keyValue = new MemoryKeyValue();
        let partition = await open(keyValue);
        const plain = await open(new MemoryKeyValue());
        const records: LogRecord[] = [];
        let today = 10;
        for (const { facts, ahead, action } of steps) {
          today += ahead;
          const own: Fact[] = facts.map((one) => ({ ...one, day: today - one.day }));
          const churn = action === 'commit' ? dayOf(0, today).value : undefined;
          if (churn !== undefined) records.push({ offset: records.length, appendTimeMs: today * DAY_MS, value: churn });
          records.push(recordOf(records.length, own, today));
          if (action === 'restart') partition = await open(keyValue);
          for (const record of records.slice(partition.nextOffset)) partition.apply(record);
          for (const record of records.slice(plain.nextOffset)) plain.apply(record);
          if (action === 'fail') {
            keyValue.failingWrites = 1;
            await partition.commit().catch(() => undefined);
            keyValue.failingWrites = 0;
          } else if (action === 'commit') await partition.commit();
          expect(partition.stateHash()).toBe(plain.stateHash());
        }
        await partition.commit();
        const reopened = await open(keyValue);
        expect(reopened.stateHash()).toBe(plain.stateHash());
        for (const metric of ['a', 'b', 'cpu']) {
          const counts = [partition, reopened, plain].map((one) => one.seriesCount('acme', metric, 1));
          expect(new Set(counts).size).toBe(1);
        }
        const ids = Buffer.concat(Array.from({ length: 31 }, (_, n) => seriesId(name(n % 2 === 0 ? 'a' : 'b', n))));
        const known = (one: TagPartition) =>
          one.seriesTags({ partition: 0, tenant: 'acme', series: ids }).series.length;
        expect(known(reopened)).toBe(known(partition));
      }),
      { numRuns: 60 },
    );
  });
});
