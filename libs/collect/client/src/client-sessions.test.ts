import { describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { KIND } from '@tidemark/model';
import { SeededRandom, type SimulatedNode, SimulatedWorld } from '@tidemark/simulation';
import { checkedOptions } from './check-options.ts';
import { ClientSessions } from './client-sessions.ts';
import { MetricStatements } from './metric-statements.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientOptions } from './options.ts';
import { RawBatch } from './raw-batch.ts';
import { SeriesTable } from './series-table.ts';
import { Spool } from './spool.ts';
import { ClientCounters } from './stats.ts';

const SPOOL_RETRY_MS = 60_000;

interface Run {
  readonly sessions: ClientSessions;
  readonly counters: ClientCounters;
}

/** A machine with a disk, an intake, and one run of client sessions after the other. */
class Bench {
  readonly world = new SimulatedWorld({ seed: 1 });
  readonly intake = new ModelIntake({ clock: this.world.clock, random: new SeededRandom('intake') });
  readonly node: SimulatedNode;

  constructor(capacityBytes?: number) {
    this.node = this.world.node('agent', { capacityBytes });
  }

  /** Starts the sessions of a new run of the client, after it has restored those of earlier runs. */
  start(hasSpool: boolean, changed: Partial<ClientOptions> = {}): Promise<Run> {
    const options = checkedOptions({ name: 'test', ...changed }, ['a']);
    const counters = new ClientCounters();
    const series = new SeriesTable();
    series.add({ metric: 'm', kind: KIND.gauge, tags: [] });
    const started = this.node.start(async ({ clock, random, disk }) => {
      const sessions = new ClientSessions({
        ports: { connector: this.intake, addresses: ['a'], clock, random },
        ...{ options, counters, series: () => series, statements: new MetricStatements() },
        gatherer: { minTimeMs: Number.POSITIVE_INFINITY, promise: () => undefined },
        spool: hasSpool ? await Spool.open(disk, options) : undefined,
        schedule: { chosenMs: undefined, fit: () => undefined, intervalMs: 0 },
      });
      await sessions.recover();
      sessions.start();
      return { sessions, counters };
    });
    return this.play(started);
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

  advance(durationMs: number): Promise<void> {
    return this.world.clock.advance(durationMs);
  }

  batch(value: number): RawBatch {
    const raw = new RawBatch();
    raw.addPoint(0, Math.floor(this.world.clock.wallMs()), value);
    return raw;
  }

  get values(): number[] {
    return this.intake.delivered.map(({ value }) => value);
  }
}

describe('the sessions of a client', () => {
  test('the live session takes new batches, and a waiter is woken when they are settled', async () => {
    const bench = new Bench();
    const { sessions, counters } = await bench.start(false);
    expect(sessions.isSettled).toBe(true);
    sessions.enqueue(bench.batch(1));
    expect([sessions.isSettled, sessions.pendingPoints, sessions.memoryBytes > 0]).toEqual([false, 1, true]);
    await bench.play(sessions.nextSettled());
    expect([sessions.isSettled, sessions.pendingPoints, sessions.memoryBytes]).toEqual([true, 0, 0]);
    expect([bench.values, counters.ackedPoints]).toEqual([[1], 1]);
  });

  test('without a spool, stopping gives up the unsettled batches as dropped', async () => {
    const bench = new Bench();
    bench.intake.up = false;
    const { sessions, counters } = await bench.start(false);
    sessions.enqueue(bench.batch(1));
    await bench.advance(1000);
    expect(sessions.lastError?.message).toBe('the stream broke');
    sessions.end();
    await bench.play(sessions.stop());
    expect([counters.droppedPoints, sessions.pendingPoints]).toEqual([1, 0]);
  });

  test('sessions of earlier runs are restored and sent, at most replayStreams at a time', async () => {
    const bench = new Bench();
    bench.intake.up = false;
    for (const value of [1, 2, 3]) {
      const { sessions, counters } = await bench.start(true, { replayStreams: 1 });
      expect(counters.recoveredPoints).toBe(value - 1);
      sessions.enqueue(bench.batch(value));
      await bench.advance(1000);
      bench.node.crash('power');
    }
    bench.intake.up = true;
    bench.intake.answer = BatchResult_Outcome.RETRY;
    const { sessions, counters } = await bench.start(true, { replayStreams: 1 });
    await bench.advance(20_000);
    expect([counters.recoveredPoints, sessions.pendingPoints, bench.intake.sessions.size]).toEqual([3, 3, 1]);
    bench.intake.answer = undefined;
    await bench.advance(60_000);
    expect([sessions.isSettled, bench.intake.sessions.size]).toEqual([true, 3]);
    expect(bench.values.toSorted()).toEqual([1, 2, 3]);
    expect(bench.intake.violations).toEqual([]);
    expect(bench.node.disk.usedBytes()).toBe(0);
  });

  test('a disk that fails does not hold up later batches, and a new spool is tried a minute later', async () => {
    const bench = new Bench(10);
    const { sessions } = await bench.start(true);
    // A batch that was offered to a spool stays with its session, which retries its disk.
    sessions.enqueue(bench.batch(1));
    await bench.advance(1000);
    expect(sessions.lastError?.code).toBe('resource_exhausted');
    for (const value of [2, 3]) {
      sessions.enqueue(bench.batch(value));
      await bench.advance(1000);
      sessions.retrySpool();
    }
    expect([bench.values, bench.intake.sessions.size]).toEqual([[2, 3], 1]);
    await bench.advance(SPOOL_RETRY_MS);
    sessions.retrySpool();
    sessions.enqueue(bench.batch(4));
    await bench.advance(1000);
    sessions.enqueue(bench.batch(5));
    await bench.advance(1000);
    expect([bench.values, bench.intake.sessions.size]).toEqual([[2, 3, 5], 2]);
    expect(sessions.pendingPoints).toBe(2);
  });

  test('a spool keeps the unsettled batches of a stopped session for the next run', async () => {
    const bench = new Bench();
    bench.intake.up = false;
    const { sessions, counters } = await bench.start(true);
    sessions.enqueue(bench.batch(1));
    await bench.advance(1000);
    sessions.end();
    await bench.play(sessions.stop());
    expect([counters.droppedPoints, sessions.pendingPoints]).toEqual([0, 1]);
    bench.node.crash('process');
    bench.intake.up = true;
    const next = await bench.start(true);
    await bench.advance(1000);
    expect([bench.values, next.sessions.isSettled]).toEqual([[1], true]);
  });
});
