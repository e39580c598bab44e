import { beforeEach, describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { evenMap } from '@tidemark/model';
import { ManualClock, SeededRandom } from '@tidemark/simulation';
import { BatchQueue } from './batch-queue.ts';
import { checkedOptions } from './check-options.ts';
import { MetricStatements } from './metric-statements.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientRejection } from './options.ts';
import { QueuedBatch } from './queued-batch.ts';
import { RawBatch } from './raw-batch.ts';
import { SeriesTable } from './series-table.ts';
import type { SessionOwner } from './session-owner.ts';
import { SessionRoutes } from './session-routes.ts';
import { ClientCounters } from './stats.ts';
import { UnsettledBatches } from './unsettled-batches.ts';

const GIVE_UP_MS = 1000;
const PLACE = { path: 'spool/1', position: 0, sizeBytes: 1 };

class Bench {
  readonly clock = new ManualClock(1_000_000);
  readonly queue = new BatchQueue();
  readonly routes = new SessionRoutes(new SeriesTable());
  readonly rejections: ClientRejection[] = [];
  readonly counters = new ClientCounters({ onRejection: (rejection) => this.rejections.push(rejection) });
  /** Calls of `onEnd`, with the batch's number, and of the owner's `onSettled`, in order. */
  readonly calls: string[] = [];
  readonly unsettled: UnsettledBatches;
  #numbers = 0;

  constructor(memoryBytes = 1_000_000) {
    const random = new SeededRandom('client');
    const owner: SessionOwner = {
      connector: new ModelIntake({ clock: this.clock, random }),
      clock: this.clock,
      random,
      addresses: ['a'],
      options: checkedOptions({ name: 'test', giveUpMs: GIVE_UP_MS, memoryBytes }, ['a']),
      counters: this.counters,
      statements: new MetricStatements(),
      isLive: () => true,
      minOtherTimeMs: () => Number.POSITIVE_INFINITY,
      onPromise: () => undefined,
      onSpoolFailure: () => undefined,
      onSpoolGrowth: () => undefined,
      onSettled: () => this.calls.push('settled'),
      onError: () => undefined,
      onLateness: () => undefined,
      flushIntervalMs: undefined,
      amountIntervalMs: () => undefined,
    };
    this.unsettled = new UnsettledBatches(owner, this.queue, this.routes, ({ number }) =>
      this.calls.push(`end ${number}`),
    );
  }

  waiting(points: number): QueuedBatch {
    const raw = new RawBatch();
    for (let i = 0; i < points; i++) raw.addPoint(0, i, i);
    const batch = new QueuedBatch(this.#numbers++, raw.points, raw.minTimeMs, raw.fate);
    batch.holdRaw(raw);
    this.queue.add(batch);
    return batch;
  }

  stamped(points: number, epoch = 1): QueuedBatch {
    const batch = this.waiting(points);
    this.queue.takeWaiting(batch);
    batch.stamp = { sequence: batch.number, epoch, stampedMs: this.clock.wallMs() };
    this.unsettled.addStamped(batch);
    return batch;
  }

  get left(): number[] {
    return [...this.queue.all.keys()];
  }
}

const result = (outcome: BatchResult_Outcome, acceptedPoints = 0, rejectedPoints = 0, reason = 'value_nan') => ({
  sequence: 0,
  outcome,
  acceptedPoints,
  retryAfterMs: 0,
  rejections:
    rejectedPoints === 0 ? [] : [{ reason, field: 'value', limit: 'a number', points: rejectedPoints, message: 'NaN' }],
});

describe('the unsettled batches of a client session', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });

  test('an acknowledged batch counts each point once, as acknowledged or as rejected', () => {
    const batch = bench.stamped(5);
    expect(bench.unsettled.settle(batch, result(BatchResult_Outcome.ACKED, 3, 2))).toBe(true);
    expect(bench.counters).toMatchObject({ ackedPoints: 3, rejectedPoints: 2, refusedPoints: 0 });
    expect([batch.fate.acknowledgedPoints, batch.fate.lostPoints, batch.fate.openPoints]).toEqual([3, 2, 0]);
    expect(bench.rejections).toMatchObject([{ reason: 'value_nan', points: 2 }]);
    expect(bench.calls).toEqual([`end ${batch.number}`, 'settled']);
    expect(bench.left).toEqual([]);
  });

  test.each([
    ['rejects more points than the batch has', 0, 8, 0],
    ['accepts more points than the batch has', 8, 0, 3],
    ['gives a reason for only some of the points that it left out', 1, 1, 1],
  ])('no count is wrong or negative when an intake %s', (_, accepted, rejected, acked) => {
    bench.unsettled.settle(bench.stamped(3), result(BatchResult_Outcome.ACKED, accepted, rejected));
    expect(bench.counters).toMatchObject({ ackedPoints: acked, rejectedPoints: 3 - acked });
  });

  test('what is left out at a repetition is indeterminate where an earlier send may have been stored', () => {
    for (const [resent, reason] of [
      [false, 'series_over_budget'],
      [true, 'value_nan'],
      [true, 'series_over_budget'],
    ] as const) {
      const batch = bench.stamped(5);
      batch.resent = resent;
      bench.unsettled.settle(batch, result(BatchResult_Outcome.ACKED, 3, 2, reason));
    }
    expect(bench.counters).toMatchObject({ ackedPoints: 9, rejectedPoints: 4, indeterminatePoints: 2 });
    const refused = bench.stamped(4);
    refused.resent = true;
    bench.unsettled.settle(refused, result(BatchResult_Outcome.REFUSED));
    expect(bench.counters).toMatchObject({ refusedPoints: 0, indeterminatePoints: 6 });
  });

  test('what a send leaves out of stored shares stays out, also when a later send accepts it', () => {
    const first = bench.stamped(5);
    bench.unsettled.settle(first, result(BatchResult_Outcome.RETRY, 0, 2, 'series_over_budget'));
    first.resent = true;
    bench.unsettled.settle(first, result(BatchResult_Outcome.ACKED, 5));
    expect(bench.counters).toMatchObject({ ackedPoints: 3, rejectedPoints: 2, indeterminatePoints: 0 });
    // Of a later send it is unknown: the first one may have stored all.
    const later = bench.stamped(5);
    later.resent = true;
    bench.unsettled.settle(later, result(BatchResult_Outcome.RETRY, 0, 2, 'series_over_budget'));
    bench.unsettled.settle(later, result(BatchResult_Outcome.ACKED, 5));
    expect(bench.counters).toMatchObject({ ackedPoints: 6, rejectedPoints: 2, indeterminatePoints: 2 });
  });

  test('accepted points that a send without an answer may have left out are indeterminate', () => {
    const batch = bench.stamped(5);
    batch.resent = true;
    batch.unsure = 2;
    bench.unsettled.settle(batch, result(BatchResult_Outcome.ACKED, 4, 1));
    expect(bench.counters).toMatchObject({ ackedPoints: 2, rejectedPoints: 1, indeterminatePoints: 2 });
    const all = bench.stamped(5);
    all.resent = true;
    all.unsure = 50;
    bench.unsettled.settle(all, result(BatchResult_Outcome.ACKED, 5));
    expect(bench.counters).toMatchObject({ ackedPoints: 2, rejectedPoints: 1, indeterminatePoints: 7 });
  });

  test('merged points need no fate of their own', () => {
    const batch = bench.stamped(5);
    bench.unsettled.merged(batch, 3);
    bench.unsettled.merged(batch, 3);
    expect([bench.counters.mergedPoints, bench.queue.points, batch.fate.openPoints]).toEqual([2, 3, 3]);
    bench.unsettled.settle(batch, result(BatchResult_Outcome.ACKED, 3));
    expect(bench.counters).toMatchObject({ ackedPoints: 3, mergedPoints: 2 });
    expect([batch.fate.acknowledgedPoints, batch.fate.openPoints]).toEqual([3, 0]);
  });

  test('a refused batch loses all points, and a batch to retry stays as it is', () => {
    const refused = bench.stamped(4);
    const retried = bench.stamped(6);
    expect(bench.unsettled.settle(refused, result(BatchResult_Outcome.REFUSED))).toBe(true);
    expect(bench.unsettled.settle(retried, result(BatchResult_Outcome.RETRY))).toBe(false);
    expect(bench.counters).toMatchObject({ refusedPoints: 4, ackedPoints: 0 });
    expect([refused.fate.lostPoints, retried.fate.openPoints]).toEqual([4, 6]);
    expect(bench.left).toEqual([retried.number]);
  });

  test('points given up are dropped before the first send and indeterminate after it, and counted once', () => {
    const unsent = bench.waiting(2);
    const sent = bench.stamped(3);
    sent.sent = true;
    for (const batch of [unsent, sent, unsent, sent]) bench.unsettled.giveUp(batch, 'spool_bound', 'spoolBytes', '1');
    expect(bench.counters).toMatchObject({ droppedPoints: 2, indeterminatePoints: 3 });
    expect(bench.rejections.map(({ reason, points }) => [reason, points])).toEqual([
      ['spool_bound', 2],
      ['spool_bound', 3],
    ]);
  });

  test('gives up the batches whose stamp is older than giveUpMs, and no younger ones', () => {
    const old = bench.stamped(1);
    bench.clock.advance(1);
    const young = bench.stamped(1);
    const waiting = bench.waiting(1);
    bench.clock.advance(GIVE_UP_MS);
    bench.unsettled.giveUpOld();
    expect(old.gone).toBe(true);
    expect(bench.left).toEqual([young.number, waiting.number]);
    expect(bench.rejections).toMatchObject([{ reason: 'unacknowledged', field: 'giveUpMs', limit: '1000 ms' }]);
  });

  test('at the memory bound it evicts spooled batches first, then gives up the oldest unspooled ones', () => {
    // A point takes 20 bytes.
    bench = new Bench(450);
    const [oldest, spooled, newest] = [bench.waiting(10), bench.waiting(10), bench.waiting(10)];
    spooled.waitingPlace = PLACE;
    bench.unsettled.keepMemoryBound();
    expect([oldest.memoryBytes, spooled.memoryBytes, newest.memoryBytes]).toEqual([200, 0, 200]);
    expect(bench.rejections).toEqual([]);
    const added = bench.waiting(10);
    bench.unsettled.keepMemoryBound();
    expect(bench.left).toEqual([spooled.number, newest.number, added.number]);
    expect(bench.rejections).toMatchObject([{ reason: 'memory_bound', field: 'memoryBytes', points: 10 }]);
  });

  test('another session takes only batches that were never offered to the spool, and the end drops the unspooled', () => {
    const [fresh, offered, spooled] = [bench.waiting(1), bench.waiting(1), bench.waiting(1)];
    const { raw } = fresh;
    offered.attempts = 1;
    spooled.waitingPlace = PLACE;
    const stamped = bench.stamped(1);
    expect(bench.unsettled.takeUnspooled()).toEqual([raw]);
    expect(bench.left).toEqual([offered.number, spooled.number, stamped.number]);
    expect(fresh.fate.openPoints).toBe(1);
    bench.unsettled.dropUnspooled('closed');
    expect(bench.left).toEqual([spooled.number]);
    expect(bench.counters.droppedPoints).toBe(2);
  });

  test('the last batch of an old map settles its routes, too', () => {
    bench.routes.useMap({ ...evenMap(4), epoch: 1 }, 'acme');
    const batch = bench.stamped(1, 1);
    bench.routes.useMap({ ...evenMap(4), epoch: 2 }, 'acme');
    expect([...bench.routes.all()].map(({ epoch }) => epoch)).toEqual([1, 2]);
    bench.unsettled.settle(batch, result(BatchResult_Outcome.ACKED));
    expect([...bench.routes.all()].map(({ epoch }) => epoch)).toEqual([2]);
  });
});
