import { describe, expect, test } from '@jest/globals';
import { MatchRequest } from '@tidemark/contract';
import { DAY_MS, SERIES_CLASS, type SeriesClass, seriesName } from '@tidemark/model';
import { isTidemarkError, type LogRecord } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { TagPartition } from './index.ts';
import { type Fact, recordOf } from './testing/facts.ts';

/** Facts about 48 series over 4 days, many of them repeated, some of them before their definition. */
const fact: fc.Arbitrary<Fact> = fc
  .tuple(fc.nat(1), fc.nat(1), fc.constantFrom<SeriesClass>(1, 3), fc.nat(5), fc.nat(3), fc.boolean())
  .map(([tenant, metric, seriesClass, host, day, isNamed]) => ({
    name: seriesName(['acme', 'other'][tenant], ['cpu', 'mem'][metric], seriesClass, [
      `host:${host}`,
      `env:${host % 2}`,
    ]),
    day,
    isNamed,
  }));
const records = fc
  .array(fact, { minLength: 1, maxLength: 25 })
  .chain((facts) => fc.array(fc.array(fc.constantFrom(...facts), { maxLength: 8 }), { minLength: 1, maxLength: 10 }));

type Step = 'apply' | 'commit' | 'fail' | 'crash';

/** The answers to all queries about the few names of these tests. */
function answers(partition: TagPartition): unknown {
  const range = { fromMs: 0, toMs: 10 * DAY_MS };
  const parts = ['acme', 'other'].map((tenant) => {
    const described = partition.describeMetrics({ partition: 0, tenant, contains: '', limit: 0, names: [], ...range });
    const metrics = described.metrics.map(({ metric }) => {
      const asked = { partition: 0, tenant, metric, limit: 0, ...range };
      const match = { filter: undefined, groupBy: ['host', 'env'], maxSeries: 0, maxGroups: 0 };
      return [partition.describeTags(asked), partition.match({ ...asked, ...match })];
    });
    return [described, metrics];
  });
  const { committedOffset, ...status } = partition.status();
  return [status, parts];
}

async function replay(log: readonly LogRecord[]): Promise<TagPartition> {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  for (const record of log) partition.apply(record);
  return partition;
}

function facts(count: number, day = 1): Fact[] {
  return Array.from({ length: count }, (_, i) => ({
    name: seriesName('acme', 'cpu', SERIES_CLASS.reading, [`host:h${i}`]),
    day,
    isNamed: true,
  }));
}

describe('crash and replay', () => {
  test('state and answers are those of the log at any point, after any commits and failed writes', async () => {
    const steps = fc.array(fc.constantFrom<Step>('apply', 'apply', 'commit', 'fail', 'crash'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(records, steps, async (all, plan) => {
        const log = all.map((each, offset) => recordOf(offset, each));
        const keyValue = new MemoryKeyValue();
        let partition = await TagPartition.open({ keyValue });
        for (const step of plan) {
          if (step === 'apply' && partition.nextOffset < log.length) partition.apply(log[partition.nextOffset]);
          if (step === 'commit') {
            await partition.commit();
            expect(partition.pendingBytes).toBe(0);
          }
          if (step === 'fail' && partition.nextOffset !== partition.committedOffset) {
            keyValue.failingWrites = 1;
            await expect(partition.commit()).rejects.toThrow('disk is full');
          }
          if (step === 'crash') {
            const committed = partition.committedOffset;
            partition = await TagPartition.open({ keyValue });
            expect(partition.nextOffset).toBe(committed);
          }
          expect(answers(partition)).toEqual(answers(await replay(log.slice(0, partition.nextOffset))));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('facts that are applied during a commit are in the next one', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    const log = [facts(3), facts(5), facts(5, 2)].map((each, offset) => recordOf(offset, each));
    partition.apply(log[0]);
    const committing = partition.commit();
    partition.apply(log[1]);
    await committing;
    expect(partition.committedOffset).toBe(1);
    expect(answers(await TagPartition.open({ keyValue }))).toEqual(answers(await replay(log.slice(0, 1))));
    partition.apply(log[2]);
    await partition.commit();
    expect(answers(await TagPartition.open({ keyValue }))).toEqual(answers(await replay(log)));
  });

  test('repeated facts change neither state nor hash', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.nat(), async (all, pick) => {
        const once = await replay(all.map((each, offset) => recordOf(offset, each)));
        const twice = all.concat(all.slice(pick % all.length));
        const again = await replay(twice.map((each, offset) => recordOf(offset, each)));
        expect(again.stateHash()).toBe(once.stateHash());
        expect(again.status().series).toBe(once.status().series);
      }),
      { numRuns: 60 },
    );
  });

  test('different states have different hashes', async () => {
    const hashes = await Promise.all(
      [facts(0), facts(1), facts(2), facts(1, 2), [...facts(1), ...facts(1, 2)]].map(async (each) =>
        (await replay([recordOf(0, each)])).stateHash(),
      ),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashes[0]).toBe('0'.repeat(32));
  });
});

describe('commits', () => {
  test('the commit after a failed one includes its changes', async () => {
    for (const meanwhile of [[], facts(4)]) {
      const keyValue = new MemoryKeyValue();
      const partition = await TagPartition.open({ keyValue });
      const log = [facts(3), meanwhile].map((each, offset) => recordOf(offset, each));
      partition.apply(log[0]);
      keyValue.failingWrites = 1;
      const failing = partition.commit();
      partition.apply(log[1]);
      await expect(failing).rejects.toThrow('disk is full');
      await partition.commit();
      expect(answers(await TagPartition.open({ keyValue }))).toEqual(answers(await replay(log)));
    }
  });

  test('commits of few series continue one segment over many runs, and large segments are closed', async () => {
    const keyValue = new MemoryKeyValue();
    const segments = () => [...keyValue.content.keys()].filter((key) => key.startsWith('01')).length;
    const sizes = [1, 2, 3, 4, 800, 801, 802];
    const log = sizes.map((size, offset) => recordOf(offset, facts(size)));
    for (const [offset, record] of log.entries()) {
      const partition = await TagPartition.open({ keyValue });
      partition.apply(record);
      await partition.commit();
      expect(segments()).toBe(offset < 5 ? 1 : 2);
      expect(answers(partition)).toEqual(answers(await replay(log.slice(0, offset + 1))));
    }
    const last = await TagPartition.open({ keyValue });
    expect(answers(last)).toEqual(answers(await replay(log)));
    last.apply(recordOf(last.nextOffset, facts(9_000)));
    await last.commit();
    expect(segments()).toBeGreaterThan(2);
    expect((await TagPartition.open({ keyValue })).seriesCount('acme', 'cpu')).toBe(9_000);
  });

  test('a commit of a few new series in a large partition is small', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    partition.apply(recordOf(0, facts(10_000)));
    await partition.commit();
    partition.apply(recordOf(1, [{ ...facts(10_001)[10_000] }]));
    expect(partition.pendingBytes).toBeLessThan(100);
    await partition.commit();
    expect(keyValue.batchBytes[1]).toBeLessThan(500);
    expect((await TagPartition.open({ keyValue })).seriesCount('acme', 'cpu')).toBe(10_001);
  });

  test('a commit without changes writes nothing, and wantsCommit follows records and bytes', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue, commitRecords: 2, commitBytes: 1000 });
    await partition.commit();
    expect(keyValue.batchBytes).toEqual([]);
    partition.apply(recordOf(0, facts(1)));
    expect(partition.wantsCommit).toBe(false);
    partition.apply(recordOf(1, facts(1)));
    expect(partition.wantsCommit).toBe(true);
    await partition.commit();
    expect(partition.wantsCommit).toBe(false);
    partition.apply(recordOf(2, facts(50)));
    expect(partition.wantsCommit).toBe(true);
  });
});

describe('what can go wrong', () => {
  test('a broken record is data_loss and changes nothing, and a skip leaves a gap', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    partition.apply(recordOf(0, facts(2)));
    const before = answers(partition);
    const broken = recordOf(1, facts(3));
    broken.value[broken.value.length - 1] ^= 1;
    expect(() => partition.apply(broken)).toThrow(expect.objectContaining({ code: 'data_loss' }));
    expect(() => partition.apply(recordOf(2, []))).toThrow(/record 2, expected 1/);
    expect(answers(partition)).toEqual(before);

    const hash = partition.stateHash();
    partition.skip('broken by hand', { records: 1 });
    expect(partition.nextOffset).toBe(2);
    expect(partition.stateHash()).not.toBe(hash);
    await partition.commit();
    const opened = await TagPartition.open({ keyValue });
    const gaps = [{ topic: 'tags', partition: 7, offset: 1, reason: 'broken by hand', records: 1 }];
    const range = { partition: 7, tenant: 't', metric: 'm', fromMs: 0, toMs: 1 };
    expect(opened.gaps(7)).toEqual(gaps);
    expect(opened.match(MatchRequest.create(range)).gaps).toEqual(gaps);
    expect(opened.describeTags({ ...range, limit: 0 }).gaps).toEqual(gaps);
    expect(opened.describeMetrics({ ...range, contains: '', limit: 0, names: [] }).gaps).toEqual(gaps);
    expect(opened.stateHash()).toBe(partition.stateHash());
  });

  test('one skip passes all records of a gap, and the gap states their number after a restart', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    partition.skip('lost', { records: 300 });
    partition.apply(recordOf(300, facts(1)));
    await partition.commit();
    const opened = await TagPartition.open({ keyValue });
    const gap = { topic: 'tags', partition: 0, offset: 0, reason: 'lost', records: 300 };
    expect([opened.nextOffset, opened.gaps(0)]).toEqual([301, [gap]]);
    const other = await TagPartition.open({ keyValue: new MemoryKeyValue() });
    other.skip('lost', { records: 299 });
    expect(other.stateHash()).not.toBe(partition.stateHash());
  });

  test('a day of a series whose definition is in a gap waits for a later definition', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    partition.skip('lost', { records: 1 });
    partition.apply(recordOf(1, [{ ...facts(1, 5)[0], isNamed: false }]));
    await partition.commit();
    const opened = await TagPartition.open({ keyValue });
    expect(opened.status()).toMatchObject({ series: 0, unknownDays: 1 });
    opened.apply(recordOf(2, facts(1, 9)));
    await opened.commit();
    const range = { fromMs: 5 * DAY_MS, toMs: 6 * DAY_MS, limit: 0 };
    for (const each of [opened, await TagPartition.open({ keyValue })]) {
      expect(each.status()).toMatchObject({ series: 1, unknownDays: 0 });
      expect(each.describeTags({ partition: 0, tenant: 'acme', metric: 'cpu', ...range }).keys).toHaveLength(1);
    }
  });

  test('a changed, cut or missing entry of the store is data_loss at open', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    partition.apply(recordOf(0, facts(3)));
    partition.apply(recordOf(1, [{ ...facts(9, 5)[8], isNamed: false }]));
    partition.skip('lost', { records: 1 });
    await partition.commit();
    const good = new Map(keyValue.content);
    for (const [key, value] of good) {
      const last = value.length - 1;
      for (const broken of [value.map((byte, i) => byte ^ (i === last ? 1 : 0)), value.subarray(0, -1)]) {
        keyValue.content.set(key, Buffer.from(broken));
        await expectDataLoss(keyValue);
      }
      keyValue.content.set(key, value);
    }
    for (const [key, value] of good) {
      // A store without a state entry is empty.
      if (key.startsWith('00')) continue;
      keyValue.content.delete(key);
      await expectDataLoss(keyValue);
      keyValue.content.set(key, value);
    }
  });

  async function expectDataLoss(keyValue: MemoryKeyValue): Promise<void> {
    const error = await TagPartition.open({ keyValue }).catch((reason: unknown) => reason);
    expect(isTidemarkError(error, 'data_loss')).toBe(true);
  }
});
