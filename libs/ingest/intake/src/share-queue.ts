import { pointCount, type ShareSummary } from '@tidemark/columns';
import { type Span, spanBytes } from '@tidemark/point-records';
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

/** Max size of the shares of one block. */
export interface TakenSize {
  /** Max bytes of the shares. */
  readonly bytes: number;
  readonly points: number;
  /** Max number of shares. */
  readonly shares: number;
  /** Max bytes of the spans, which have the shares. */
  readonly spanBytes: number;
}

/** Shares that wait for a lane's next block, in order of acceptance. lane.test.ts covers it. */
export class ShareQueue {
  readonly #shares: QueuedShare[] = [];
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
    this.#bytes += share.span.share.length;
    const dueMs = monotonicMs + Math.min(lingerMs, share.lingerMs ?? lingerMs);
    this.#dueTimesMs.push(dueMs);
    if (dueMs < this.#dueMs) this.#dueMs = dueMs;
  }

  /** Removes shares from the front, up to a size, at least one. */
  take(limit: TakenSize): QueuedShare[] {
    let count = 0;
    let bytes = 0;
    let points = 0;
    let ofSpans = 0;
    for (const { span, summary } of this.#shares) {
      bytes += span.share.length;
      points += pointCount(summary);
      ofSpans += spanBytes(span);
      const isTooMuch = bytes > limit.bytes || points > limit.points || ofSpans > limit.spanBytes;
      if (count > 0 && (isTooMuch || count >= limit.shares)) break;
      count++;
    }
    return this.#takeFirst(count);
  }

  /** Puts shares back to the front, in their order. They are due at once. */
  putBack(shares: readonly QueuedShare[], monotonicMs: number): void {
    this.#shares.unshift(...shares);
    this.#dueTimesMs.unshift(...shares.map(() => monotonicMs));
    for (const { span } of shares) this.#bytes += span.share.length;
    if (shares.length > 0) this.#dueMs = Math.min(this.#dueMs, monotonicMs);
  }

  takeAll(): QueuedShare[] {
    return this.#takeFirst(this.#shares.length);
  }

  #takeFirst(count: number): QueuedShare[] {
    const removed = this.#shares.splice(0, count);
    for (const { span } of removed) this.#bytes -= span.share.length;
    this.#dueTimesMs.splice(0, count);
    this.#dueMs = this.#dueTimesMs.reduce((earliestMs, dueMs) => Math.min(earliestMs, dueMs), Number.POSITIVE_INFINITY);
    return removed;
  }
}
