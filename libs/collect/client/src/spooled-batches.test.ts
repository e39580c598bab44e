import { beforeEach, describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { Batch, type SendRequest } from '@tidemark/contract';
import { KIND } from '@tidemark/model';
import { type Disk, TidemarkError } from '@tidemark/ports';
import { SeededRandom, type SimulatedNode, SimulatedWorld } from '@tidemark/simulation';
import { BatchQueue } from './batch-queue.ts';
import { checkedOptions } from './check-options.ts';
import { MetricStatements } from './metric-statements.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import { QueuedBatch } from './queued-batch.ts';
import { RawBatch } from './raw-batch.ts';
import { SeriesTable } from './series-table.ts';
import type { SessionOwner } from './session-owner.ts';
import { SessionRoutes } from './session-routes.ts';
import { SessionSpool } from './session-spool.ts';
import { SpoolIndex } from './spool-index.ts';
import { GROUP_BYTES, SpooledBatches } from './spooled-batches.ts';
import { ClientCounters } from './stats.ts';

const MAX_BACKOFF_MS = 5000;

/** A spool whose commits fail while it is broken. */
class BreakableSpool extends SessionSpool {
  isBroken = false;

  override async commit(nextSequence: number): Promise<void> {
    if (this.isBroken) throw new TidemarkError('unavailable', 'the disk failed');
    await super.commit(nextSequence);
  }
}

/** An index that can't be written while it is broken. */
class BreakableIndex extends SpoolIndex {
  isBroken = false;

  override async write(): Promise<void> {
    if (this.isBroken) throw new TidemarkError('unavailable', 'the disk failed');
    await super.write();
  }
}

class Bench {
  readonly world = new SimulatedWorld({ seed: 1 });
  readonly node: SimulatedNode = this.world.node('agent');
  readonly counters = new ClientCounters();
  readonly queue = new BatchQueue();
  /** The series that the session knows. */
  series = new SeriesTable();
  readonly routes = new SessionRoutes(this.series);
  readonly failures: string[] = [];
  readonly errors: string[] = [];
  /** Batches given up: number and reason. */
  readonly givenUp: [number, string][] = [];
  waitingSpooled = 0;
  #numbers = 0;

  constructor() {
    for (const metric of ['a', 'b']) this.series.add({ metric, kind: KIND.gauge, tags: [] });
  }

  async open(): Promise<{ spool: BreakableSpool; index: BreakableIndex; spooled: SpooledBatches }> {
    const disk: Disk = await this.play(this.node.start((ports) => ports.disk));
    const clientSession = new Uint8Array(16).fill(1);
    const common = { disk, clientSession, createdMs: 0, fileBytes: 1 << 20 };
    const index = new BreakableIndex(common);
    const spool = new BreakableSpool({ ...common, folder: 'spool/1', index });
    const series = () => this.series;
    const spooled = new SpooledBatches(spool, {
      owner: this.#owner,
      get series() {
        return series();
      },
      queue: this.queue,
      routes: this.routes,
      tenant: 'acme',
      nextSequence: 0,
      merged: (batch, points) => this.queue.shrink(batch, batch.points - points),
      giveUp: (batch, reason) => {
        this.givenUp.push([batch.number, reason]);
        this.queue.remove(batch);
      },
      onWaitingSpooled: () => {
        this.waitingSpooled++;
      },
    });
    return { spool, index, spooled };
  }

  get #owner(): SessionOwner {
    const { clock } = this.world;
    const random = new SeededRandom('client');
    return {
      ...{ connector: new ModelIntake({ clock, random }), clock, random, addresses: ['a'] },
      options: checkedOptions({ name: 'test', maxBackoffMs: MAX_BACKOFF_MS }, ['a']),
      counters: this.counters,
      statements: new MetricStatements(),
      isLive: () => true,
      minOtherTimeMs: () => Number.POSITIVE_INFINITY,
      onPromise: () => undefined,
      onSpoolFailure: ({ message }) => this.failures.push(message),
      onSpoolGrowth: () => undefined,
      onSettled: () => undefined,
      onError: ({ code }) => this.errors.push(code),
      onLateness: () => undefined,
      flushIntervalMs: undefined,
      amountIntervalMs: () => undefined,
    };
  }

  /** Waits for `work` while time passes. */
  async play<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    await this.world.clock.run(() => isDone, 60_000);
    return done;
  }

  /** Adds a batch with one point of each series number. */
  waiting(...series: number[]): QueuedBatch {
    const raw = new RawBatch();
    for (const number of series) raw.addPoint(number, 1000, number + 0.5);
    return this.add(raw);
  }

  add(raw: RawBatch): QueuedBatch {
    const batch = new QueuedBatch(this.#numbers++, raw.points, raw.minTimeMs, raw.fate);
    batch.holdRaw(raw);
    this.queue.add(batch);
    return batch;
  }

  release(batch: QueuedBatch): void {
    this.queue.change(batch, () => batch.release());
  }
}

function valuesOf(raw: RawBatch | undefined): number[] | undefined {
  if (raw === undefined) return undefined;
  const { values, length } = raw.flatPoints();
  return [...values.subarray(0, length)];
}

describe('the spooled batches of a client session', () => {
  let bench: Bench;
  let spool: BreakableSpool;
  let index: BreakableIndex;
  let spooled: SpooledBatches;
  beforeEach(async () => {
    bench = new Bench();
    ({ spool, index, spooled } = await bench.open());
  });

  test('a waiting batch is durable once written, and is read back into memory with the same points', async () => {
    const batch = bench.waiting(0, 1);
    expect(await bench.play(spooled.putWaiting(false))).toBe(false);
    expect([batch.isOnDisk, batch.fate.isSpooled, bench.waitingSpooled]).toEqual([true, true, 1]);
    const { memoryBytes } = bench.queue;
    bench.release(batch);
    expect(bench.queue.memoryBytes).toBe(0);
    expect(valuesOf(await bench.play(spooled.loadRaw(batch)))).toEqual([0.5, 1.5]);
    expect(bench.queue.memoryBytes).toBe(memoryBytes);
  });

  test('writes about GROUP_BYTES of waiting batches at a time, and all of them at the end', async () => {
    const payload = new Uint8Array(GROUP_BYTES / 2);
    const batches = Array.from({ length: 6 }, () => {
      const raw = new RawBatch();
      raw.addSketch(0, 1000, payload);
      return bench.add(raw);
    });
    expect(await bench.play(spooled.putWaiting(false))).toBe(true);
    expect(batches.map(({ isOnDisk }) => isOnDisk)).toEqual([true, true, false, false, false, false]);
    expect(await bench.play(spooled.putWaiting(true))).toBe(false);
    expect([...bench.queue.all.values()].every(({ isOnDisk }) => isOnDisk)).toBe(true);
  });

  test('a stamped batch is read back as the same message, or given up when its refs cannot be defined', async () => {
    const batch = bench.waiting(0);
    const out = new ByteWriter();
    batch.raw?.encode(bench.series, out);
    const shares = [{ partition: 3, points: Buffer.from(out.take()) }];
    const value: Batch = { sequence: 0, mapEpoch: 1, floor: 0, frontierMs: 1000, stampedMs: 2000, shares };
    const request: SendRequest = { message: { $case: 'batch', value } };
    bench.routes.restore({ epoch: 1, partition: 3, firstRef: 0, numbers: [0] });
    batch.stamp = { sequence: 0, epoch: 1, stampedMs: 2000 };
    batch.refs = new Map([[3, 1]]);
    batch.holdRequest(request);
    await bench.play(spooled.putStamped([batch]));
    expect(batch.isOnDisk).toBe(true);
    bench.release(batch);
    const loaded = await bench.play(spooled.loadRequest(batch));
    expect(loaded?.message?.$case === 'batch' && Batch.encode(loaded.message.value).finish()).toEqual(
      Batch.encode(value).finish(),
    );
    bench.release(batch);
    batch.refs = new Map();
    expect(await bench.play(spooled.loadRequest(batch))).toBeUndefined();
    expect(bench.givenUp).toEqual([[batch.number, 'spool_unreadable']]);
  });

  test('a failed write is reported, and pauses the spool for maxBackoffMs', async () => {
    const batch = bench.waiting(0);
    spool.isBroken = true;
    await bench.play(spooled.putWaiting(false));
    expect([batch.isOnDisk, spooled.isPaused, bench.counters.spoolFailures]).toEqual([false, true, 1]);
    expect(bench.failures).toEqual(['the disk failed']);
    expect(spooled.retryMs).toBe(bench.world.clock.monotonicMs() + MAX_BACKOFF_MS);
    spool.isBroken = false;
    await bench.play(spooled.putWaiting(false));
    expect(batch.isOnDisk).toBe(false);
    await bench.world.clock.advance(MAX_BACKOFF_MS);
    await bench.play(spooled.putWaiting(false));
    expect([batch.isOnDisk, spooled.isPaused]).toEqual([true, false]);
  });

  test('batches are durable and settled although the index can not be written behind them', async () => {
    const first = bench.waiting(0);
    await bench.play(spooled.putWaiting(false));
    index.isBroken = true;
    const second = bench.waiting(1);
    await bench.play(spooled.putWaiting(false));
    expect([second.isOnDisk, spooled.isPaused, bench.counters.spoolFailures]).toEqual([true, false, 0]);
    index.isBroken = false;
    bench.queue.remove(first);
    spooled.settled(first);
    await bench.play(spooled.writeSettled());
    index.isBroken = true;
    bench.queue.remove(second);
    spooled.settled(second);
    await bench.play(spooled.writeSettled());
    expect([spooled.isPaused, bench.counters.spoolFailures]).toEqual([false, 0]);
    await bench.play(spooled.close());
    expect(bench.node.disk.usedBytes()).toBe(0);
  });

  test('a batch that cannot be read back is given up, and the error is reported', async () => {
    const batch = bench.waiting(0);
    await bench.play(spooled.putWaiting(false));
    bench.release(batch);
    batch.waitingPlace = { path: batch.waitingPlace?.path ?? '', position: 1_000_000, sizeBytes: 50 };
    expect(await bench.play(spooled.loadRaw(batch))).toBeUndefined();
    expect(bench.givenUp).toEqual([[batch.number, 'spool_unreadable']]);
    expect(bench.errors).toHaveLength(1);
  });

  test('points whose series were lost count as dropped, and the others are read back', async () => {
    const batch = bench.waiting(0, 1);
    await bench.play(spooled.putWaiting(false));
    bench.release(batch);
    bench.series = new SeriesTable();
    bench.series.add({ metric: 'a', kind: KIND.gauge, tags: [] });
    expect(valuesOf(await bench.play(spooled.loadRaw(batch)))).toEqual([0.5]);
    expect([batch.points, batch.fate.lostPoints, bench.queue.points]).toEqual([1, 1, 1]);
    expect(bench.counters.droppedPoints).toBe(1);
  });

  test('points of equal series and timestamp are one point, which is not lost when it is read back', async () => {
    const batch = bench.waiting(0, 0, 1, 0);
    await bench.play(spooled.putWaiting(false));
    expect([batch.points, bench.queue.points]).toEqual([2, 2]);
    bench.release(batch);
    expect(valuesOf(await bench.play(spooled.loadRaw(batch)))).toEqual([0.5, 1.5]);
    expect([batch.points, batch.fate.lostPoints, bench.counters.droppedPoints]).toEqual([2, 0, 0]);
  });

  test('drops the batches of the oldest file once that was requested, and not before', async () => {
    const batch = bench.waiting(0);
    await bench.play(spooled.putWaiting(false));
    await bench.play(spooled.dropRequested());
    expect(bench.givenUp).toEqual([]);
    spooled.requestDrop();
    await bench.play(spooled.dropRequested());
    expect(bench.givenUp).toEqual([[batch.number, 'spool_bound']]);
  });

  test('closing writes what still waits, and deletes the spool of a session whose batches are all settled', async () => {
    const batch = bench.waiting(0);
    await bench.play(spooled.close());
    expect(batch.isOnDisk).toBe(true);
    expect(bench.node.disk.usedBytes()).toBeGreaterThan(0);
    bench.queue.remove(batch);
    spooled.settled(batch);
    await bench.play(spooled.close());
    expect(bench.node.disk.usedBytes()).toBe(0);
  });
});
