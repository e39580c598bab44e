import { type BatchResult, BatchResult_Outcome, type Rejection } from '@tidemark/contract';
import { assert } from '@tidemark/ports';
import type { BatchQueue } from './batch-queue.ts';
import { givenUp, rejectionOf } from './options.ts';
import { PASSING_REASONS } from './passing-reasons.ts';
import type { QueuedBatch } from './queued-batch.ts';
import type { RawBatch } from './raw-batch.ts';
import type { SessionOwner } from './session-owner.ts';
import type { SessionRoutes } from './session-routes.ts';

/**
 * How the batches of one client session end: settled by a result, or given up at a bound. Each point is counted once,
 * by its outcome. Also covered by client.test.ts, faults.test.ts and spool.test.ts.
 */
export class UnsettledBatches {
  readonly #owner: SessionOwner;
  readonly #queue: BatchQueue;
  readonly #routes: SessionRoutes;
  readonly #onEnd: (batch: QueuedBatch) => void;

  /** `onEnd` is called with each batch that is settled or given up, before the owner is. */
  constructor(owner: SessionOwner, queue: BatchQueue, routes: SessionRoutes, onEnd: (batch: QueuedBatch) => void) {
    this.#owner = owner;
    this.#queue = queue;
    this.#routes = routes;
    this.#onEnd = onEnd;
  }

  addStamped(batch: QueuedBatch): void {
    assert(batch.stamp !== undefined, 'a stamped batch has a stamp');
    this.#queue.addStamped(batch, batch.stamp.sequence);
    this.#routes.addBatch(batch.stamp.epoch);
  }

  /** Settles a batch by its result. False when the result asks for a retry. */
  settle(batch: QueuedBatch, { outcome, acceptedPoints, rejections }: BatchResult): boolean {
    const { counters } = this.#owner;
    if (outcome === BatchResult_Outcome.ACKED) {
      const accepted = Math.min(batch.points - Math.max(batch.leftOut, batch.leftOutLater), acceptedPoints);
      const acked = Math.max(0, accepted - batch.unsure);
      const left = batch.points - acked;
      const certain = Math.max(batch.leftOut, pointsOf(rejections.filter(isLasting)));
      const rejected = batch.resent ? Math.min(left, certain) : left;
      counters.ackedPoints += acked;
      counters.rejectedPoints += rejected;
      counters.indeterminatePoints += left - rejected;
      batch.fate.acknowledged(acked);
      batch.fate.lost(left);
    } else if (outcome === BatchResult_Outcome.REFUSED) {
      if (batch.resent) counters.indeterminatePoints += batch.points;
      else counters.refusedPoints += batch.points;
      batch.fate.lost(batch.points);
    } else {
      const leftOut = Math.min(batch.points, pointsOf(rejections));
      if (batch.resent) batch.leftOutLater = Math.max(batch.leftOutLater, leftOut);
      else batch.leftOut = leftOut;
      batch.isAnswered = true;
      return false;
    }
    this.#remove(batch);
    for (const rejection of rejections) counters.rejectedByPlatform(rejectionOf(rejection));
    return true;
  }

  /** Counts the points that became one with others, now that it is known how many the batch really has. */
  merged(batch: QueuedBatch, points: number): void {
    const merged = batch.points - points;
    if (merged <= 0) return;
    this.#owner.counters.mergedPoints += merged;
    this.#queue.shrink(batch, merged);
    batch.fate.merged(merged);
  }

  giveUp(batch: QueuedBatch, reason: string, field: string, limit: string): void {
    if (batch.gone) return;
    const { counters } = this.#owner;
    if (batch.sent) counters.indeterminatePoints += batch.points;
    else counters.droppedPoints += batch.points;
    batch.fate.lost(batch.points);
    // Before the report: the program may flush in its callback, and so cause this batch to be given up again.
    this.#remove(batch);
    counters.reject(givenUp(reason, field, limit, batch.points));
  }

  /** Gives up the batches whose stamp is older than `giveUpMs`. */
  giveUpOld(): void {
    const { clock, options } = this.#owner;
    const beforeMs = clock.wallMs() - options.giveUpMs;
    for (const batch of this.#queue.stamped.values()) {
      if (batch.stamp === undefined || batch.stamp.stampedMs >= beforeMs) return;
      this.giveUp(batch, 'unacknowledged', 'giveUpMs', `${options.giveUpMs} ms`);
    }
  }

  /** Gives up every batch that is in memory alone, when the program ends. */
  dropUnspooled(reason: string): void {
    for (const batch of [...this.#queue.all.values()]) if (!batch.isFound) this.giveUp(batch, reason, 'close', '');
  }

  /** Evicts spooled batches from memory, then drops the oldest unspooled ones. */
  keepMemoryBound(): void {
    const { memoryBytes } = this.#owner.options;
    for (const onDisk of [true, false]) {
      if (this.#queue.memoryBytes <= memoryBytes) return;
      for (const batch of this.#queue.all.values()) {
        if (this.#queue.memoryBytes <= memoryBytes) return;
        if (batch.isOnDisk !== onDisk || batch.memoryBytes === 0) continue;
        if (onDisk) this.#queue.change(batch, () => batch.release());
        else this.giveUp(batch, 'memory_bound', 'memoryBytes', `${memoryBytes} bytes`);
      }
    }
  }

  /** Removes and returns the batches that were never offered to the spool, so that another session may send them. */
  takeUnspooled(): RawBatch[] {
    const taken: RawBatch[] = [];
    for (const batch of [...this.#queue.waiting.values()]) {
      if (batch.raw === undefined || batch.waitingPlace !== undefined || batch.attempts > 0) continue;
      taken.push(batch.raw);
      this.#remove(batch);
    }
    return taken;
  }

  #remove(batch: QueuedBatch): void {
    this.#queue.remove(batch);
    this.#onEnd(batch);
    if (batch.stamp !== undefined) this.#routes.settleBatch(batch.stamp.epoch);
    this.#owner.onSettled();
  }
}

/** True for a reason that every send of a batch finds. */
function isLasting({ reason }: Rejection): boolean {
  return !PASSING_REASONS.has(reason);
}

function pointsOf(rejections: readonly Rejection[]): number {
  return rejections.reduce((sum, { points }) => sum + points, 0);
}
