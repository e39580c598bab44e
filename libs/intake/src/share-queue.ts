import type { Span } from '@tidemark/block';
import type { ClientDictionary } from './client-dictionary.ts';
import type { TagFact } from './tag-publisher.ts';

/** A batch's share on its way into a block. */
export interface QueuedShare {
  /** When its batch was read from the client, by the session's clock. */
  readonly acceptMs: number;
  readonly span: Omit<Span, 'dictionary'>;
  readonly dictionary: ClientDictionary;
  readonly points: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly maxRef: number;
  /** Tags that must be published before its block. */
  readonly facts: readonly TagFact[];
  /** Called once: true when the share is durable in the log. */
  readonly settle: (durable: boolean) => void;
}

/** Shares that wait for a lane's next block, in order of acceptance. */
export class ShareQueue {
  #shares: QueuedShare[] = [];
  #queuedMs: number[] = [];
  #bytes = 0;

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

  /** Since when the oldest share waits here, monotonic ms, or undefined. */
  get queuedSinceMs(): number | undefined {
    return this.#queuedMs[0];
  }

  push(share: QueuedShare, monotonicMs: number): void {
    this.#shares.push(share);
    this.#queuedMs.push(monotonicMs);
    this.#bytes += share.span.share.length;
  }

  /** Takes shares from the front, up to `limitBytes` and `limitPoints`, at least one. */
  take(limitBytes: number, limitPoints: number): QueuedShare[] {
    let count = 0;
    let bytes = 0;
    let points = 0;
    while (count < this.#shares.length) {
      const share = this.#shares[count];
      const size = share.span.share.length;
      if (count > 0 && (bytes + size > limitBytes || points + share.points > limitPoints)) break;
      bytes += size;
      points += share.points;
      count++;
    }
    this.#bytes -= bytes;
    this.#queuedMs.splice(0, count);
    return this.#shares.splice(0, count);
  }

  /** Takes the shares that wait since before `monotonicMs`. */
  takeQueuedBefore(monotonicMs: number): QueuedShare[] {
    let count = this.#queuedMs.findIndex((queuedMs) => queuedMs >= monotonicMs);
    if (count < 0) count = this.#shares.length;
    if (count === 0) return [];
    this.#queuedMs.splice(0, count);
    const taken = this.#shares.splice(0, count);
    for (const { span } of taken) this.#bytes -= span.share.length;
    return taken;
  }

  takeAll(): QueuedShare[] {
    const all = this.#shares;
    this.#shares = [];
    this.#queuedMs = [];
    this.#bytes = 0;
    return all;
  }
}
