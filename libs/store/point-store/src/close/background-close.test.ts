import { describe, expect, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import type { KeyRange, Slicing } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition, type PointStoreLimits } from '../index.ts';
import { bucketOfKey, CLOSING_KEY, PREFIX } from '../keys.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';

const BUCKET_MS = 10_000;
const SERIES = [0, 1, 4, 8];

/** Work in the background that ends each slice at its first check, and gets a turn when the test says so. */
class Turns implements Slicing {
  readonly clock = { monotonicMs: () => 0 };
  readonly sliceMs = 0;
  readonly costPerCheck = 0;
  readonly #waiting: (() => void)[] = [];
  #isFree = false;

  readonly yieldTurn = (): Promise<void> => {
    return new Promise((resolve) => {
      if (this.#isFree) setImmediate(resolve);
      else this.#waiting.push(resolve);
    });
  };

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  async give(): Promise<void> {
    this.#waiting.shift()?.();
    await settled();
  }

  async giveWhile(isNeeded: () => boolean): Promise<void> {
    for (let turns = 0; isNeeded(); turns++) {
      if (turns > 2000) throw new Error('it does not end');
      await this.give();
    }
  }

  /** All further turns come at once. */
  free(): void {
    this.#isFree = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  hold(): void {
    this.#isFree = false;
  }
}

/** Waits until everything that needs no turn has been done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
}

/** A partition with a point of each series a second, and now and then one ten seconds late. */
class Own {
  readonly builder = new LogBuilder();
  turns = new Turns();
  keyValue = new MemoryKeyValue();
  partition: PointPartition;
  readonly #limits: PointStoreLimits;
  #sequence = 0;

  private constructor(partition: PointPartition, limits: PointStoreLimits) {
    this.partition = partition;
    this.#limits = limits;
    this.builder.bare(RECORD.open, 0, 0);
  }

  static async open(change: Partial<PointStoreLimits> = {}): Promise<Own> {
    const limits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1000, bucketMs: BUCKET_MS, ...change };
    const closed = await PointPartition.open({
      ...{ partition: 0, keyValue: new MemoryKeyValue(), limits, latenessMs: () => 3000 },
    });
    const own = new Own(closed, limits);
    await own.start();
    return own;
  }

  async start(): Promise<void> {
    const { keyValue, turns: slicing } = this;
    const options = { partition: 0, keyValue, limits: this.#limits, latenessMs: () => 3000, slicing };
    this.partition = await PointPartition.open(options);
  }

  /** The process ends here, and another one opens what it has written. */
  async crash(): Promise<void> {
    this.keyValue.crash();
    this.keyValue = new MemoryKeyValue(this.keyValue.content);
    this.turns = new Turns();
    await this.start();
  }

  point(nowMs: number, timeMs: number, series = 0): void {
    const points = [{ series, timeMs, value: timeMs / 7 }];
    this.builder.block(0, nowMs, [{ client: 0, sequence: this.#sequence++, points }]);
  }

  until(fromMs: number, toMs: number): this {
    for (let timeMs = fromMs; timeMs < toMs; timeMs += 1000) {
      for (const series of SERIES) this.point(timeMs, timeMs, series);
      if (timeMs % 3000 === 0) this.point(timeMs, Math.max(0, timeMs - 10_000), 4);
      this.builder.nextEpoch(0);
    }
    return this;
  }

  /** Reads the log, with all commits, none of which waits for a turn. */
  async read(): Promise<void> {
    for (const record of this.builder.records.slice(this.partition.nextOffset)) {
      if (this.partition.wantsCommit) await this.partition.commit();
      this.partition.apply(record);
      if (this.partition.wantsCommit) await this.partition.commit();
    }
  }

  async close(): Promise<void> {
    this.turns.free();
    while (this.partition.wantsCommit) await this.partition.commit();
    await this.partition.whenClosed();
  }

  /** The values of a bucket, by series. */
  async values(bucket: number) {
    const range = { fromMs: bucket * BUCKET_MS, toMs: (bucket + 1) * BUCKET_MS, stepMs: 1000 };
    this.turns.free();
    return (await valuesOf(this.partition, requestOf([0, 4, 8], range, 'last'))).values;
  }

  buckets(prefix: number): number[] {
    const keys = [...this.keyValue.content.keys()].map((key) => Buffer.from(key, 'hex'));
    return [...new Set(keys.filter(([first]) => first === prefix).map(bucketOfKey))].sort((a, b) => a - b);
  }
}

/** Keeps the values that were read from it. */
class Watched extends MemoryKeyValue {
  readonly values: Uint8Array[] = [];

  override async *entries(range: KeyRange) {
    for await (const entry of super.entries(range)) {
      this.values.push(entry.value);
      yield entry;
    }
  }
}

/** What a partition has that closes each bucket before it applies another record. */
async function calm(toMs: number, more: (own: Own) => void = () => undefined, change: Partial<PointStoreLimits> = {}) {
  const own = await Own.open(change);
  own.turns.free();
  own.until(0, toMs);
  more(own);
  for (const record of own.builder.records) {
    own.partition.apply(record);
    while (own.partition.wantsCommit) await own.partition.commit();
    await own.partition.whenClosed();
  }
  return own;
}

describe('a close in the background', () => {
  test('holds no commit: records are applied and committed before it ends, and are not in its hash', async () => {
    const late = (own: Own) => {
      for (const second of [1, 3, 5, 8]) own.point(19_000, 1000 * second, 4);
    };
    const expected = await calm(19_000, late);
    const own = await Own.open();
    late(own.until(0, 19_000));
    await own.read();
    const { committedOffset } = own.partition;
    expect([own.partition.isClosing, own.turns.isWaiting]).toEqual([true, true]);
    await own.partition.commit();
    expect(own.partition.committedOffset).toBe(own.builder.records.length);
    expect(committedOffset).toBeLessThan(own.partition.committedOffset);
    expect(own.partition.status.stateHashes).toEqual([]);
    await own.close();
    expect(own.partition.status.stateHashes).toHaveLength(1);
    expect(own.partition.status.stateHashes).toEqual(expected.partition.status.stateHashes);
    expect(await own.values(0)).toEqual(await expected.values(0));
    expect(await own.partition.stateHash()).toBe(await expected.partition.stateHash());
  });

  test('gives back the memory of the pages that it has read', async () => {
    const own = await Own.open();
    const keyValue = new Watched(own.keyValue.content);
    own.keyValue = keyValue;
    await own.start();
    await own.until(0, 19_000).read();
    keyValue.values.length = 0;
    await own.close();
    const left = keyValue.values.filter(({ length }) => length > 0);
    expect([keyValue.values.length > 0, left.length]).toEqual([true, 0]);
  });

  test('is begun again after a crash at any of its turns, with the same hash', async () => {
    const expected = await calm(19_000);
    const { stateHashes } = expected.partition.status;
    let crashes = 0;
    for (let turn = 0; ; turn++) {
      const own = await Own.open();
      await own.until(0, 19_000).read();
      for (let i = 0; i < turn && own.partition.isClosing; i++) await own.turns.give();
      if (!own.partition.isClosing) break;
      await own.crash();
      crashes++;
      expect([own.partition.isClosing, own.partition.wantsCommit]).toEqual([true, true]);
      expect(own.partition.status.stateHashes).toEqual([]);
      await own.close();
      expect({ turn, stateHashes: own.partition.status.stateHashes }).toEqual({ turn, stateHashes });
      expect(await own.values(0)).toEqual(await expected.values(0));
    }
    expect(crashes).toBeGreaterThan(5);
  });

  test('is finished by the next cut that closes others, whose commit has stored its points before', async () => {
    const own = await Own.open();
    own.until(0, 40_000);
    const { records } = own.builder;
    while (own.partition.nextOffset < records.length) {
      if (own.partition.wantsCommit && own.partition.isClosing) {
        const committed = own.partition.committedOffset;
        const committing = own.partition.commit();
        await settled();
        if (own.partition.wantsCommit) {
          // It waits, and its points are stored.
          expect(own.partition.committedOffset).toBeGreaterThan(committed);
          await own.turns.giveWhile(() => own.partition.wantsCommit);
        }
        await committing;
        continue;
      }
      if (own.partition.wantsCommit) await own.partition.commit();
      else own.partition.apply(records[own.partition.nextOffset]);
    }
    await own.close();
    const { stateHashes } = (await calm(40_000)).partition.status;
    expect(stateHashes).toHaveLength(3);
    expect(own.partition.status.stateHashes).toEqual(stateHashes);
  });

  test('publishes its hashes when all of its buckets are closed, also those that a crash has left', async () => {
    /** Three buckets close at one cut. */
    const ahead = (own: Own) => {
      for (let timeMs = 0; timeMs < 25_000; timeMs += 1000) own.point(0, timeMs, (timeMs / 1000) % 5);
      own.builder.bare(RECORD.mark, 0, 42_000);
    };
    const expected = await calm(0, ahead);
    const own = await Own.open();
    ahead(own);
    await own.read();
    const seen = new Set<number | undefined>();
    const hashKeys = () => [...own.keyValue.content.keys()].filter((key) => key.startsWith('08')).length;
    await own.turns.giveWhile(() => hashKeys() === 0);
    await own.crash();
    expect([hashKeys(), own.partition.status.stateHashes]).toEqual([1, []]);
    await own.partition.commit();
    await own.turns.giveWhile(() => {
      if (own.partition.isClosing) seen.add(own.partition.position.checkpointOffset);
      return own.partition.isClosing;
    });
    expect([...seen]).toEqual([undefined]);
    expect(own.partition.position.checkpointOffset).toBe(expected.partition.position.checkpointOffset);
    expect(own.partition.status.stateHashes).toHaveLength(3);
    expect(own.partition.status.stateHashes).toEqual(expected.partition.status.stateHashes);
  });

  test.each([0, 3, 9, 30])('that an era meets after %i turns records what the era leaves closed', async (given) => {
    /** The clock was ahead: the watermark goes back into the fourth bucket. */
    const setBack = (own: Own) => {
      own.builder.bare(RECORD.mark, 0, 62_000);
      Object.assign(own.builder.lane(1), { era: own.builder.records.length, eraStartMs: 34_000 });
      own.builder.bare(RECORD.open, 1, 34_000);
      own.builder.bare(RECORD.mark, 1, 35_000);
    };
    const expected = await calm(32_000, setBack);
    const own = await Own.open();
    own.until(0, 32_000);
    setBack(own);
    const { records } = own.builder;
    for (const record of records) {
      if (record.offset === records.length - 2) {
        expect(own.partition.isClosing).toBe(true);
        for (let i = 0; i < given; i++) await own.turns.give();
      }
      own.partition.apply(record);
      const committing = own.partition.wantsCommit ? own.partition.commit() : undefined;
      await settled();
      await own.turns.giveWhile(() => own.partition.wantsCommit);
      await committing;
    }
    await own.crash();
    await own.close();
    const { stateHashes } = expected.partition.status;
    expect(stateHashes.map(({ bucketMs }) => bucketMs)).toEqual([0, 10_000, 20_000]);
    expect(own.partition.status.stateHashes).toEqual(stateHashes);
    expect(await own.partition.stateHash()).toBe(await expected.partition.stateHash());
  });

  test('that an era opens again and that expires before it closes leaves no hash, also for the next start', async () => {
    const own = await Own.open({ retentionMs: 100_000 });
    const bucketsOf = () => own.partition.status.stateHashes.map(({ bucketMs }) => bucketMs);
    own.point(25_000, 25_000);
    own.point(35_000, 35_000);
    own.builder.bare(RECORD.mark, 0, 62_000);
    own.turns.free();
    await own.read();
    await own.partition.whenClosed();
    expect(bucketsOf()).toEqual([20_000, 30_000]);
    Object.assign(own.builder.lane(1), { era: own.builder.records.length, eraStartMs: 34_000 });
    own.builder.bare(RECORD.open, 1, 34_000);
    own.builder.bare(RECORD.mark, 1, 200_000);
    await own.read();
    await own.partition.whenClosed();
    expect([bucketsOf(), own.buckets(PREFIX.page)]).toEqual([[20_000], []]);
    // A replica that was not restarted would differ.
    await own.crash();
    expect(bucketsOf()).toEqual([20_000]);
  });

  test('that is stopped writes nothing more, and the next process begins it again', async () => {
    const own = await Own.open();
    await own.until(0, 19_000).read();
    for (let i = 0; i < 3; i++) await own.turns.give();
    const stopping = own.partition.stop();
    own.turns.free();
    await stopping;
    await own.partition.commit();
    own.partition.close();
    const content = new Map(own.keyValue.content);
    await settled();
    expect(own.keyValue.content).toEqual(content);
    expect([own.partition.isClosing, own.partition.wantsCommit]).toEqual([true, false]);
    await own.start();
    await own.close();
    expect(own.partition.status.stateHashes).toEqual((await calm(19_000)).partition.status.stateHashes);
  });

  test.each([false, true])(
    'that fails is reported by each commit until it succeeds (stored: %p)',
    async (failsLate) => {
      const own = await Own.open();
      await own.until(0, 19_000).read();
      Object.assign(own.keyValue, { failingWrites: 3, failsLate });
      own.turns.free();
      const full = { code: 'resource_exhausted' };
      await expect(own.partition.whenClosed()).rejects.toMatchObject(full);
      for (let i = 0; i < 2; i++) {
        expect(own.partition.wantsCommit).toBe(true);
        await expect(own.partition.commit()).rejects.toMatchObject(full);
      }
      await own.partition.commit();
      expect([own.partition.isClosing, own.partition.wantsCommit]).toEqual([false, false]);
      expect(own.partition.status.stateHashes).toEqual((await calm(19_000)).partition.status.stateHashes);
    },
  );

  test('changes no state hash, which may be asked for meanwhile', async () => {
    const expected = await calm(19_000);
    const own = await Own.open();
    await own.until(0, 19_000).read();
    await own.partition.commit();
    const hash = await expected.partition.stateHash();
    for (; own.partition.isClosing; await own.turns.give()) expect(await own.partition.stateHash()).toBe(hash);
    expect(await own.partition.stateHash()).toBe(hash);
  });

  test('is marked in the commit of the cut', async () => {
    const own = await Own.open();
    await own.until(0, 11_000).read();
    const mark = () => own.keyValue.content.get(Buffer.from(CLOSING_KEY).toString('hex'))?.toString('hex');
    // Closed through bucket -1, and nothing more.
    expect(mark()).toBe('0100');
    own.point(11_000, 11_000);
    await own.read();
    expect(own.partition.committedOffset).toBe(0x32);
    // Through bucket 0, as of that offset, and of the eleventh commit.
    expect(mark()).toBe('010100320b');
  });
});

test('buckets expire with the commit of a cut, their pages go in the background, and later points stay until the next close', async () => {
  const own = await calm(41_000, undefined, { retentionMs: 3 * BUCKET_MS });
  expect(own.buckets(PREFIX.page)[0]).toBe(0);
  own.turns.hold();
  own.until(41_000, 42_000);
  await own.read();
  // The cut has closed bucket 3, and bucket 0 has expired.
  expect([own.partition.isClosing, own.buckets(PREFIX.page)[0]]).toEqual([true, 0]);
  expect(own.buckets(PREFIX.activity)[0]).toBe(1);
  own.point(41_000, 2000);
  await own.read();
  await own.partition.commit();
  own.turns.give();
  await own.close();
  expect(own.buckets(PREFIX.page).slice(0, 2)).toEqual([0, 1]);
  const [late, ...others] = await own.values(0);
  expect([late.slice(0, 3), ...others]).toEqual([
    [undefined, undefined, 2000 / 7],
    Array(10).fill(undefined),
    Array(10).fill(undefined),
  ]);
  await own.crash();
  own.turns.free();
  own.until(42_000, 52_000);
  await own.read();
  await own.close();
  for (const prefix of [PREFIX.page, PREFIX.pageIndex, PREFIX.activity]) expect(own.buckets(prefix)[0]).toBe(2);
});
