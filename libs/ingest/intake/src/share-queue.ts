import { pointCount, type ShareSummary } from '@tidemark/columns';
import type { Span } from '@tidemark/point-records';
import type { ClientDictionary } from './client-dictionary.ts';
import type { TagRecordEntry } from './tag-publisher.ts';

/** A batch's share on its way into a block. */
export interface QueuedShare {
  /** When its batch was read from the client, by the session's clock. */
  readonly acceptMs: number;
  readonly span: Omit<Span, 'dictionary'>;
  readonly dictionary: ClientDictionary;
  readonly summary: ShareSummary;
  /** How long it may wait for others in the lane, ms, where that is less than the lane's own linger. */
  readonly lingerMs?: number;
  /** Tags that must be published before its block. */
  readonly facts: readonly TagRecordEntry[];
  /** Called once: true when the share is durable in the log. */
  readonly settle: (durable: boolean) => void;
}

/** Shares that wait for a lane's next block, in order of acceptance. lane.test.ts covers it. */
export class ShareQueue {
  readonly #shares: QueuedShare[] = [];
  readonly #queuedMs: number[] = [];
  /** Until when each share may wait. */
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

  /** When the first share has waited for as long as it may, monotonic ms; Infinity when there is none. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** `lingerMs` is how long a share waits that doesn't say less itself. */
  push(share: QueuedShare, monotonicMs: number, lingerMs: number): void {
    this.#shares.push(share);
    this.#queuedMs.push(monotonicMs);
    this.#bytes += share.span.share.length;
    const dueMs = monotonicMs + Math.min(lingerMs, share.lingerMs ?? lingerMs);
    this.#dueTimesMs.push(dueMs);
    if (dueMs < this.#dueMs) this.#dueMs = dueMs;
  }

  /** Takes shares from the front, up to `limitBytes` and `limitPoints`, at least one. */
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

  /** Takes the shares that wait since before `monotonicMs`. */
  takeQueuedBefore(monotonicMs: number): QueuedShare[] {
    let count = this.#queuedMs.findIndex((queuedMs) => queuedMs >= monotonicMs);
    if (count < 0) count = this.#shares.length;
    return this.#takeFirst(count);
  }

  takeAll(): QueuedShare[] {
    return this.#takeFirst(this.#shares.length);
  }

  #takeFirst(count: number): QueuedShare[] {
    const taken = this.#shares.splice(0, count);
    this.#queuedMs.splice(0, count);
    for (const { span } of taken) this.#bytes -= span.share.length;
    this.#dueTimesMs.splice(0, count);
    this.#dueMs = this.#dueTimesMs.reduce((least, dueMs) => Math.min(least, dueMs), Number.POSITIVE_INFINITY);
    return taken;
  }
}
