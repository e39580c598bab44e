import { pointCount, type ShareSummary } from '@tidemark/columns';
import type { Span } from '@tidemark/point-records';
import type { ClientDictionary } from './client-dictionary.ts';
import type { TagRecordEntry } from './tag-publisher.ts';

/** A batch's share on its way into a block. */
export interface QueuedShare {
  /** Time at which the batch was read from the client, by the session's clock. */
  readonly acceptMs: number;
  readonly span: Omit<Span, 'dictionary'>;
  readonly dictionary: ClientDictionary;
  readonly summary: ShareSummary;
  /** Max wait for other shares in the lane, ms, if less than the lane's own linger. */
  readonly lingerMs?: number;
  /** Tags that must be published before the share's block. */
  readonly entries: readonly TagRecordEntry[];
  /** Called once; true when the share is durable in the log. */
  readonly settle: (durable: boolean) => void;
}

/** Shares that wait for a lane's next block, in order of acceptance. lane.test.ts covers it. */
export class ShareQueue {
  readonly #shares: QueuedShare[] = [];
  readonly #queuedMs: number[] = [];
  /** Time until which each share may wait. */
  readonly #dueTimesMs: number[] = [];
  #bytes = 0;
  #dueMs = Number.POSITIVE_INFINITY;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#shares.length === 0;
  }

  /** Accept time of the oldest share, or undefined. */
  get oldestMs(): number | undefined {
    return this.#shares[0]?.acceptMs;
  }

  /** Time at which the first share has waited its max time, monotonic ms; Infinity without shares. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Adds a share. `lingerMs` is the max wait of a share without its own. */
  push(share: QueuedShare, monotonicMs: number, lingerMs: number): void {
    this.#shares.push(share);
    this.#queuedMs.push(monotonicMs);
    this.#bytes += share.span.share.length;
    const dueMs = monotonicMs + Math.min(lingerMs, share.lingerMs ?? lingerMs);
    this.#dueTimesMs.push(dueMs);
    if (dueMs < this.#dueMs) this.#dueMs = dueMs;
  }

  /** Removes shares from the front, up to `limitBytes` and `limitPoints`, at least one. */
  take(limitBytes: number, limitPoints: number): QueuedShare[] {
    let count = 0;
    let bytes = 0;
    let points = 0;
    while (count < this.#shares.length) {
      const share = this.#shares[count];
      const size = share.span.share.length;
      const sharePoints = pointCount(share.summary);
      if (count > 0 && (bytes + size > limitBytes || points + sharePoints > limitPoints)) break;
      bytes += size;
      points += sharePoints;
      count++;
    }
    return this.#takeFirst(count);
  }

  /** Removes the shares that have waited since before `monotonicMs`. */
  takeQueuedBefore(monotonicMs: number): QueuedShare[] {
    let count = this.#queuedMs.findIndex((queuedMs) => queuedMs >= monotonicMs);
    if (count < 0) count = this.#shares.length;
    return this.#takeFirst(count);
  }

  takeAll(): QueuedShare[] {
    return this.#takeFirst(this.#shares.length);
  }

  #takeFirst(count: number): QueuedShare[] {
    const removed = this.#shares.splice(0, count);
    this.#queuedMs.splice(0, count);
    for (const { span } of removed) this.#bytes -= span.share.length;
    this.#dueTimesMs.splice(0, count);
    this.#dueMs = this.#dueTimesMs.reduce((earliestMs, dueMs) => Math.min(earliestMs, dueMs), Number.POSITIVE_INFINITY);
    return removed;
  }
}
