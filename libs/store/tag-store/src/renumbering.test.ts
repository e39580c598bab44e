import { describe, expect, test } from '@jest/globals';
import type { MatchRequest } from '@tidemark/contract';
import { DAY_MS, SERIES_CLASS, type SeriesName, seriesName } from '@tidemark/model';
import type { KeyValue, LogRecord } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagRecordWriter } from '@tidemark/tag-records';
import fc from 'fast-check';
import { openStore } from './open-store.ts';
import { TagPartition } from './tag-partition.ts';
import { type Fact, recordOf } from './testing/facts.ts';
import { SteppedKeyValue } from './testing/stepped-key-value.ts';
import { commitRenumbered, turn } from './testing/turns.ts';

const RETENTION_DAYS = 2;
const METRICS = ['a', 'b', 'c', 'd'];
/** Series of one day alone, with a metric that exists on this day alone among them. */
const CHURNED = 12;

const name = (metric: string, n: number): SeriesName =>
  seriesName('acme', metric, SERIES_CLASS.reading, [`n:${n}`, `zone:${n % 3}`]);

/** Renumberings of a few series, in as many writes as possible. */
function open(keyValue: KeyValue, batchBytes = 100): Promise<TagPartition> {
  return TagPartition.open({ keyValue, retentionDays: RETENTION_DAYS, renumbering: { deadSeries: 4, batchBytes } });
}

function churnOf(offset: number, day: number): LogRecord {
  const fresh = Array.from({ length: CHURNED }, (_, n) =>
    name(n % 3 === 0 ? `m${day}` : METRICS[n % 4], day * 100 + n),
  );
  return recordOf(
    offset,
    [name('a', 0), ...fresh].map((one) => ({ name: one, day, isNamed: true })),
  );
}

function answersOf(partition: TagPartition): unknown {
  const described = partition.describeMetrics({
    ...{ partition: 0, tenant: 'acme', contains: '', fromMs: 0, limit: 0, names: [], stated: true },
  });
  const metrics = described.metrics.map(({ metric }) => {
    const range = { partition: 0, tenant: 'acme', metric, fromMs: 0, toMs: 200 * DAY_MS };
    const asked: MatchRequest = { ...range, filter: undefined, groupBy: ['zone'], maxSeries: 0, maxGroups: 0 };
    const { classes, groups, metadata } = partition.match(asked);
    return [classes, groups, metadata, partition.describeTags({ ...range, filter: undefined, limit: 0 }).keys];
  });
  const budgets = partition.budgets(0, 0);
  const byName = (one: { metric?: string }, other: { metric?: string }) =>
    (one.metric ?? '') < (other.metric ?? '') ? -1 : 1;
  const counted = [budgets.tenants, [...budgets.metrics].sort(byName).filter(({ series }) => series > 0)];
  return [partition.stateHash(), described.metrics, metrics, counted];
}

/** Partitions that applied the first records of a log and were never renumbered, by the number of records. */
async function plainAt(log: readonly LogRecord[], nextOffset: number): Promise<TagPartition> {
  const plain = await TagPartition.open({ keyValue: new MemoryKeyValue(), retentionDays: RETENTION_DAYS });
  for (const record of log.slice(0, nextOffset)) plain.apply(record);
  return plain;
}

/** Generations of which entries are stored. */
function generationsOf(content: ReadonlyMap<string, Buffer>): Set<number> {
  const numbered = [...content.keys()].filter((key) => ['01', '02', '06'].includes(key.slice(0, 2)));
  return new Set(numbered.map((key) => Number.parseInt(key.slice(2, 10), 16)));
}

const LOG = Array.from({ length: 10 }, (_, day) => churnOf(day, 10 + day));

/** A partition after the commit of so many records, which has begun a renumbering: its first batch waits. */
async function begun(records: number): Promise<{ keyValue: SteppedKeyValue; partition: TagPartition }> {
  const keyValue = new SteppedKeyValue();
  const partition = await open(keyValue);
  for (const record of LOG.slice(0, records)) partition.apply(record);
  const first = partition.commit();
  await keyValue.step();
  await first;
  return { keyValue, partition };
}

describe('a renumbering', () => {
  test('is written in several batches, without regard to how many series there are', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await open(keyValue, 1000);
    const facts = Array.from({ length: 2000 }, (_, n): Fact => ({ name: name('a', n), day: 10, isNamed: true }));
    partition.apply(recordOf(0, facts));
    partition.apply(
      recordOf(
        1,
        facts.map((fact, n) => ({ ...fact, day: 13, name: name('a', 1000 + n) })),
        13,
      ),
    );
    await commitRenumbered(partition);
    // The first is the commit of both records.
    const batches = keyValue.batchBytes.slice(1);
    expect(batches.length).toBeGreaterThan(50);
    // With the last segment of definitions, which is written again until it has 16 KiB.
    expect(Math.max(...batches)).toBeLessThan(20_000);
    expect(partition.status().series).toBe(2000);
    expect(generationsOf(keyValue.content)).toEqual(new Set([1]));
  });

  test('may end in a crash between any two of its writes, and then begins again', async () => {
    let steps = 0;
    for (let crash = 0; crash <= steps; crash++) {
      for (const isApplied of [false, true]) {
        const keyValue = new SteppedKeyValue();
        let partition = await open(keyValue);
        let done = 0;
        for (const record of LOG) {
          partition.apply(record);
          let isCommitted = false;
          const committed = partition.commit().then(() => {
            isCommitted = true;
          });
          while (keyValue.waiting > 0 && done < crash) {
            await keyValue.step();
            done++;
          }
          if (keyValue.waiting > 0 || !isCommitted) break;
          await committed;
        }
        if (crash === steps) steps = Math.max(steps, done + (keyValue.waiting > 0 ? 1 : 0));
        if (isApplied) await keyValue.step();
        const { content } = keyValue.stored;
        const stored = new MemoryKeyValue(new Map(content));
        partition = await open(stored);
        expect(answersOf(partition)).toEqual(answersOf(await plainAt(LOG, partition.nextOffset)));
        expect(generationsOf(stored.content).size).toBeLessThanOrEqual(1);
        for (const record of LOG.slice(partition.nextOffset)) {
          partition.apply(record);
          await commitRenumbered(partition);
        }
        expect(partition.status().series).toBeLessThan(CHURNED * (RETENTION_DAYS + 2) * 1.5);
        expect(answersOf(await open(stored))).toEqual(answersOf(await plainAt(LOG, LOG.length)));
      }
    }
    expect(steps).toBeGreaterThan(40);
  });

  test('does not hold commits up, and what they write is in the new index', async () => {
    const { keyValue, partition } = await begun(5);
    // The first batch waits, and so does the write of the next commit behind it.
    expect(keyValue.waiting).toBe(1);
    partition.apply(LOG[5]);
    const second = partition.commit();
    expect(keyValue.waiting).toBe(2);
    await keyValue.step();
    await keyValue.step();
    await second;
    expect(partition.committedOffset).toBe(6);
    await keyValue.stepAll();
    expect(partition.wantsCommit).toBe(true);
    const last = partition.commit();
    await keyValue.stepAll();
    await last;
    const { series } = partition.status();
    expect(series).toBeLessThan((await plainAt(LOG, 6)).status().series);
    for (const one of [partition, await open(keyValue)]) {
      expect(answersOf(one)).toEqual(answersOf(await plainAt(LOG, 6)));
    }
  });

  test('continues after a write that failed, with the next commit', async () => {
    const { keyValue, partition } = await begun(6);
    for (const outcome of ['failed', 'failed late'] as const) {
      await keyValue.step(outcome);
      expect(keyValue.waiting).toBe(0);
      partition.apply(LOG[partition.nextOffset]);
      const next = partition.commit();
      await keyValue.step();
      await next;
    }
    await keyValue.stepAll();
    expect(partition.wantsCommit).toBe(true);
    // The commit that switches fails, too.
    const failing = partition.commit().catch((error: unknown) => error);
    await keyValue.step('failed');
    expect(await failing).toMatchObject({ code: 'resource_exhausted' });
    partition.apply(LOG[8]);
    const last = partition.commit();
    await keyValue.stepAll();
    await last;
    // The old one is gone; the next one may have begun.
    expect(generationsOf(keyValue.stored.content)).not.toContain(0);
    for (const one of [partition, await open(new MemoryKeyValue(keyValue.stored.content))]) {
      expect(answersOf(one)).toEqual(answersOf(await plainAt(LOG, 9)));
    }
  });

  test('ends when the partition stops, and what it wrote is deleted at the next open', async () => {
    const { keyValue, partition } = await begun(6);
    await keyValue.step();
    const stopped = partition.stop();
    await keyValue.stepAll();
    await stopped;
    partition.apply(LOG[6]);
    const last = partition.commit();
    await keyValue.stepAll();
    await last;
    expect(keyValue.waiting).toBe(0);
    expect(generationsOf(keyValue.stored.content)).toEqual(new Set([0, 1]));
    const reopened = open(keyValue);
    await turn();
    await keyValue.stepAll();
    expect(answersOf(await reopened)).toEqual(answersOf(await plainAt(LOG, 7)));
    expect(generationsOf(keyValue.stored.content)).toEqual(new Set([0]));
  });

  test('that is switched to before its last batch is data_loss at the open, not a smaller answer', async () => {
    const { keyValue, partition } = await begun(6);
    const before = new Map(keyValue.stored.content);
    await keyValue.stepAll();
    const last = partition.commit();
    await keyValue.step();
    const switched = new Map(keyValue.stored.content);
    await keyValue.stepAll();
    await last;
    const batches = [...switched.keys()].filter((key) => !before.has(key) && key.startsWith('01'));
    expect(batches.length).toBeGreaterThan(0);
    const lost = batches[batches.length - 1];
    switched.delete(lost);
    await expect(openStore(new MemoryKeyValue(switched))).rejects.toMatchObject({ code: 'data_loss' });
    // Nothing was deleted: what is left can be examined.
    expect(generationsOf(switched)).toEqual(new Set([0, 1]));
  });
});

test('state and answers are those of the log under any order of records, commits, writes, failures and crashes', async () => {
  const fact = fc.record({
    name: fc.nat(23).map((n) => name(METRICS[n % 4], n)),
    ago: fc.nat(3),
    isNamed: fc.boolean(),
  });
  const step = fc.oneof(
    fc.record({ do: fc.constant('apply' as const), facts: fc.array(fact, { maxLength: 4 }), ahead: fc.nat(1) }),
    fc.record({ do: fc.constantFrom('churn' as const, 'state' as const), n: fc.nat(30) }),
    fc.record({ do: fc.constant('write' as const), count: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ do: fc.constantFrom('commit' as const, 'fail' as const, 'fail late' as const, 'crash' as const) }),
  );
  let renumbered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      let keyValue = new SteppedKeyValue();
      let partition = await open(keyValue);
      let committing: Promise<void> | undefined;
      const plain = await plainAt([], 0);
      const log: LogRecord[] = [];
      let today = 10;
      const appended = (record: LogRecord) => {
        log.push(record);
        plain.apply(record);
        partition.apply(record);
      };
      for (const one of steps) {
        if (one.do === 'apply') {
          today += one.ahead;
          const facts = one.facts.map(({ ago, ...rest }) => ({ ...rest, day: today - ago }));
          appended(recordOf(log.length, facts, today));
        } else if (one.do === 'churn') {
          appended(churnOf(log.length, ++today));
        } else if (one.do === 'state') {
          const writer = new TagRecordWriter();
          writer.addStatement('acme', METRICS[one.n % 4], 'user', { unit: `unit ${one.n}` });
          appended({ offset: log.length, appendTimeMs: today * DAY_MS, value: writer.take() });
        } else if (one.do === 'write') {
          for (let i = 0; i < one.count; i++) await keyValue.step();
        } else if (one.do === 'commit') {
          committing ??= partition
            .commit()
            .catch(() => undefined)
            .finally(() => {
              committing = undefined;
            });
          await turn();
        } else if (one.do === 'crash') {
          keyValue = new SteppedKeyValue(new Map(keyValue.stored.content));
          committing = undefined;
          const opening = open(keyValue);
          while (!(await isSettled(opening))) await keyValue.step();
          partition = await opening;
          for (const record of log.slice(partition.nextOffset)) partition.apply(record);
        } else {
          await keyValue.step(one.do === 'fail' ? 'failed' : 'failed late');
        }
        expect(answersOf(partition)).toEqual(answersOf(plain));
      }
      while (committing !== undefined || keyValue.waiting > 0) await keyValue.step();
      for (let i = 0; i < 3; i++) {
        const last = partition.commit();
        while (!(await isSettled(last))) await keyValue.step();
        await keyValue.stepAll();
      }
      const content = new Map(keyValue.stored.content);
      if ([...generationsOf(content)].some((generation) => generation > 0)) renumbered++;
      const reopened = await open(new MemoryKeyValue(content));
      expect(answersOf(reopened)).toEqual(answersOf(plain));
    }),
    { numRuns: 80 },
  );
  expect(renumbered).toBeGreaterThan(10);
});

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await turn();
  return settled;
}
