import { describe, expect, test } from '@jest/globals';
import { DAY_MS, SERIES_CLASS, seriesName } from '@tidemark/model';
import type { Slicing } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagPartition } from './index.ts';
import { Journal } from './journal.ts';
import { Renumbering } from './renumbering.ts';
import { TagIndex } from './tag-index.ts';
import { recordOf } from './testing/facts.ts';
import { commitRenumbered } from './testing/turns.ts';
import { Uncommitted } from './uncommitted.ts';

const RETENTION_DAYS = 3;
const SERIES = 1200;
/** Max cost of a piece of work, in units of the cost of a point: a fraction of a millisecond. */
const PIECE_COST = 4096;

/** Series on a day, by default of its own: half of them in one metric and half in metrics of their own. */
function dayOf(offset: number, day: number, count = SERIES, made = day, today = day) {
  const facts = Array.from({ length: count }, (_, n) => {
    const metric = n % 2 === 0 ? 'cpu' : `m${made}.${n}`;
    return { name: seriesName('acme', metric, SERIES_CLASS.reading, [`pod:${made}.${n}`]), day, isNamed: true };
  });
  return recordOf(offset, facts, today);
}

function answersOf(partition: TagPartition): unknown {
  const everything = { fromMs: 0, toMs: 100 * DAY_MS, maxSeries: 0, maxGroups: 0 };
  const asked = { partition: 0, tenant: 'acme', metric: 'cpu', filter: undefined, groupBy: [], ...everything };
  const described = { partition: 0, tenant: 'acme', contains: '', fromMs: 0, limit: 0, names: [] };
  return [partition.match(asked), partition.describeMetrics(described), partition.stateHash()];
}

/** Each check of the clock finds that the slice has ended. */
function everySlice(turn: () => void): Slicing {
  let nowMs = 0;
  const yieldTurn = async () => turn();
  return { clock: { monotonicMs: () => (nowMs += 100) }, yieldTurn };
}

/** An index of which half of the series have expired. */
function expiredIndex(): { index: TagIndex; uncommitted: Uncommitted } {
  const index = new TagIndex(undefined, RETENTION_DAYS);
  const uncommitted = new Uncommitted(new Journal());
  for (const day of [10, 20]) {
    index.began(day, uncommitted);
    for (let n = 0; n < SERIES; n++) {
      const id = Buffer.alloc(16, day);
      id.writeUInt32LE(n);
      const name = seriesName('acme', `m${n % 500}`, SERIES_CLASS.reading, [`n:${n}`]);
      index.addSeries(id, name, day, uncommitted);
    }
  }
  return { index, uncommitted };
}

const OPTIONS = { keyValue: new MemoryKeyValue(), slicing: undefined };

describe('work in slices', () => {
  test('a renumbering and the writes of its batches are many small pieces', () => {
    const { index, uncommitted } = expiredIndex();
    const costs: number[] = [];
    const renumbering = new Renumbering(index, uncommitted, OPTIONS);
    const { work } = renumbering;
    let step = work.next();
    for (; step.done !== true; step = work.next()) costs.push(step.value);
    expect([step.value, renumbering.index.series.count]).toEqual([true, SERIES]);
    const captured = renumbering.changes.captured();
    for (let each = captured.next(); each.done === false; each = captured.next()) costs.push(each.value);
    expect(Math.max(...costs)).toBeLessThanOrEqual(PIECE_COST);
    expect(costs.length).toBeGreaterThan(SERIES);
  });

  test('the expiry of a day costs as little with many series as with few, and is of one record', async () => {
    const removed: number[] = [];
    for (const count of [10, 10_000]) {
      const keyValue = new MemoryKeyValue();
      const partition = await TagPartition.open({ keyValue, retentionDays: 1 });
      partition.apply(dayOf(0, 10, count));
      await partition.commit();
      const before = partition.pendingBytes;
      partition.apply(dayOf(1, 12, 1));
      removed.push(partition.pendingBytes - before);
      const plain = await TagPartition.open({ keyValue: new MemoryKeyValue() });
      plain.apply(dayOf(0, 12, 1));
      expect(partition.stateHash()).toBe(plain.stateHash());
      expect(partition.seriesCount('acme', 'cpu')).toBe(1);
    }
    expect(removed[1]).toBeLessThan(removed[0] + 8);
  });

  test('requests get the same answers between the pieces of a commit and a renumbering', async () => {
    const seen = new Set<string>();
    let partition: TagPartition | undefined;
    const slicing = everySlice(() => {
      if (partition !== undefined) seen.add(JSON.stringify(answersOf(partition)));
    });
    const keyValue = new MemoryKeyValue();
    partition = await TagPartition.open({ keyValue, slicing, retentionDays: RETENTION_DAYS });
    for (const day of [10, 11, 20]) partition.apply(dayOf(partition.nextOffset, day));
    const before = JSON.stringify(answersOf(partition));
    await commitRenumbered(partition);
    expect(partition.status().series).toBe(SERIES);
    expect([...seen]).toEqual([before]);
    expect(JSON.stringify(answersOf(partition))).toBe(before);
    const reopened = await TagPartition.open({ keyValue, retentionDays: RETENTION_DAYS });
    expect(JSON.stringify(answersOf(reopened))).toBe(before);
  });

  test.each([1, 2, 5, 20, 45])(
    'a record that comes after %i pieces of a commit and a renumbering is kept',
    async (pieces) => {
      let turns = 0;
      let partition: TagPartition | undefined;
      const slicing = everySlice(() => {
        if (++turns === pieces) partition?.apply(dayOf(partition.nextOffset, 21, 5));
      });
      const keyValue = new MemoryKeyValue();
      partition = await TagPartition.open({ keyValue, slicing, retentionDays: RETENTION_DAYS });
      const plain = await TagPartition.open({ keyValue: new MemoryKeyValue(), retentionDays: RETENTION_DAYS });
      for (const day of [10, 11, 20]) partition.apply(dayOf(partition.nextOffset, day));
      await commitRenumbered(partition);
      expect(turns).toBeGreaterThanOrEqual(pieces);
      const committed = await TagPartition.open({ keyValue, retentionDays: RETENTION_DAYS });
      expect(committed.nextOffset).toBe(partition.committedOffset);
      await partition.commit();
      for (const [offset, day] of [10, 11, 20].entries()) plain.apply(dayOf(offset, day));
      plain.apply(dayOf(3, 21, 5));
      const reopened = await TagPartition.open({ keyValue, retentionDays: RETENTION_DAYS });
      for (const one of [partition, reopened]) expect(answersOf(one)).toEqual(answersOf(plain));
    },
  );
});

describe('the stored parts of an expired day', () => {
  const stored = (keyValue: MemoryKeyValue) =>
    [...keyValue.content.keys()].filter((key) => key.startsWith('02')).length;

  test('are deleted by the commits that follow, also after a restart, except where the day is seen again', async () => {
    const keyValue = new MemoryKeyValue();
    const open = () => TagPartition.open({ keyValue, retentionDays: 1 });
    let partition = await open();
    const log = [dayOf(0, 10, 10_000), dayOf(1, 11, 10_000, 10), dayOf(2, 12, 1), dayOf(3, 10, 4, 10, 12)];
    for (const record of log.slice(0, 2)) partition.apply(record);
    await partition.commit();
    expect(stored(keyValue)).toBe(2 * 5001);
    partition.apply(log[2]);
    await partition.commit();
    expect(stored(keyValue)).toBeGreaterThan(5500);
    expect(stored(keyValue)).toBeLessThan(6500);
    partition = await open();
    partition.apply(log[3]);
    const hash = partition.stateHash();
    await partition.commit();
    partition = await open();
    expect(partition.stateHash()).toBe(hash);
    partition.apply(dayOf(4, 12, 1));
    await partition.commit();
    // Those of the second day, of the third, and three of the first, which was seen again.
    expect(stored(keyValue)).toBe(5001 + 1 + 3);
    const plain = await TagPartition.open({ keyValue: new MemoryKeyValue(), retentionDays: 1 });
    for (const record of log) plain.apply(record);
    for (const one of [partition, await open()]) expect(one.stateHash()).toBe(plain.stateHash());
  });
});
