import type { Definitions, Span } from '@tidemark/point-records';
import type { Clock } from '@tidemark/ports';
import type { ClientDictionary } from './client-dictionary.ts';
import type { LaneTiming } from './intake-limits.ts';
import type { QueuedShare } from './share-queue.ts';

/**
 * Definitions that the consumers of a lane have. A dictionary is defined in the first block that uses it, and again in
 * the lane's next epoch, so that consumers keep a bounded number of definitions.
 */
export class LaneDefinitions {
  readonly #timing: LaneTiming;
  readonly #clock: Clock;
  #known = new Map<ClientDictionary, { readonly number: number; defined: number }>();
  #epoch = 0;
  #startedMs: number;
  #refs = 0;
  #keyframeOffset = -1;

  constructor(timing: LaneTiming, clock: Clock) {
    this.#timing = timing;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Offset of the epoch's first block, -1 before it is appended. */
  get keyframeOffset(): number {
    return this.#keyframeOffset;
  }

  /** Returns the definitions and spans of a block of these shares. Starts a new epoch when one is due. */
  write(shares: readonly QueuedShare[]): {
    epoch: number;
    keyframeOffset: number;
    definitions: Definitions[];
    spans: Span[];
  } {
    this.#beginEpochIfDue();
    const definitions: Definitions[] = [];
    const spans = shares.map((share) => {
      const entry = this.#entry(share.dictionary);
      if (share.summary.maxRef >= entry.defined) {
        // All definitions of the client so far are written, not only those of this share: the next share needs them
        // anyway.
        const series = share.dictionary.definitionsFrom(entry.defined);
        definitions.push({ dictionary: entry.number, firstRef: entry.defined, series });
        entry.defined = share.dictionary.size;
        this.#refs += series.length;
      }
      return { ...share.span, dictionary: entry.number };
    });
    return { epoch: this.#epoch, keyframeOffset: this.#keyframeOffset, definitions, spans };
  }

  /** Records that a block was appended. The first one of an epoch is its keyframe. */
  appended(offset: number): void {
    if (this.#keyframeOffset < 0) this.#keyframeOffset = offset;
  }

  #entry(dictionary: ClientDictionary): { readonly number: number; defined: number } {
    let entry = this.#known.get(dictionary);
    if (entry === undefined) {
      entry = { number: this.#known.size, defined: 0 };
      this.#known.set(dictionary, entry);
    }
    return entry;
  }

  #beginEpochIfDue(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#keyframeOffset < 0) return;
    if (nowMs - this.#startedMs < this.#timing.epochMs && this.#refs < this.#timing.epochRefs) return;
    this.#epoch++;
    this.#startedMs = nowMs;
    this.#refs = 0;
    this.#keyframeOffset = -1;
    this.#known = new Map();
  }
}
