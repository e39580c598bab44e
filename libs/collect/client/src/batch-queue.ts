import type { QueuedBatch } from './queued-batch.ts';
import type { SessionStream } from './session-stream.ts';
import { SlidingMin } from './sliding-min.ts';

/** The unsettled batches of one client session: those that wait for their stamp, and those that have it. */
export class BatchQueue {
  /** All, by number. */
  readonly all = new Map<number, QueuedBatch>();
  /** Without a stamp, by number. */
  readonly waiting = new Map<number, QueuedBatch>();
  /** With one, by sequence, ascending. */
  readonly stamped = new Map<number, QueuedBatch>();
  readonly #waitingMin = new SlidingMin();
  #memoryBytes = 0;
  #points = 0;

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  get points(): number {
    return this.#points;
  }

  /** Points of the batches that a restart finds in the spool. */
  get spooledPoints(): number {
    let points = 0;
    for (const batch of this.all.values()) if (batch.isFound) points += batch.points;
    return points;
  }

  /** The minimum timestamp of all, ms; Infinity when there is none. */
  get minTimeMs(): number {
    let minMs = this.#waitingMin.min();
    for (const { minTimeMs } of this.stamped.values()) if (minTimeMs < minMs) minMs = minTimeMs;
    return minMs;
  }

  /** When the first batch that was sent on a stream is due again, monotonic ms; Infinity when there is none. */
  nextDueMs(stream: SessionStream): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { sentOn, dueMs } of this.stamped.values()) if (sentOn === stream && dueMs < nextMs) nextMs = dueMs;
    return nextMs;
  }

  /** Numbers ascend. */
  add(batch: QueuedBatch): void {
    this.all.set(batch.number, batch);
    this.#memoryBytes += batch.memoryBytes;
    this.#points += batch.points;
    if (batch.stamp === undefined) {
      this.waiting.set(batch.number, batch);
      this.#waitingMin.push(batch.number, batch.minTimeMs);
    }
  }

  /** Takes a batch out of the waiting ones: it is about to get its stamp. */
  takeWaiting(batch: QueuedBatch): void {
    this.waiting.delete(batch.number);
    this.#waitingMin.removeBelow(firstKey(this.waiting) ?? Number.POSITIVE_INFINITY);
  }

  /** Sequences ascend. */
  addStamped(batch: QueuedBatch, sequence: number): void {
    this.stamped.set(sequence, batch);
  }

  remove(batch: QueuedBatch): void {
    batch.gone = true;
    this.all.delete(batch.number);
    this.takeWaiting(batch);
    if (batch.stamp !== undefined) this.stamped.delete(batch.stamp.sequence);
    this.#memoryBytes -= batch.memoryBytes;
    this.#points -= batch.points;
  }

  /** Applies `change` to a batch, and updates the sum of bytes in memory. */
  change(batch: QueuedBatch, change: () => void): void {
    const before = batch.memoryBytes;
    change();
    if (!batch.gone) this.#memoryBytes += batch.memoryBytes - before;
  }

  /** A batch has fewer points: some are lost, or merged. */
  shrink(batch: QueuedBatch, points: number): void {
    batch.points -= points;
    this.#points -= points;
  }

  /** The lowest sequence that is not settled, or `next` when all are. */
  floor(next: number): number {
    return firstKey(this.stamped) ?? next;
  }
}

function firstKey(map: ReadonlyMap<number, unknown>): number | undefined {
  for (const key of map.keys()) return key;
  return undefined;
}
