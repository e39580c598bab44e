import { DEFINITION_BYTES, type Definitions } from '@tidemark/point-records';
import { assert, type Clock } from '@tidemark/ports';
import type { ClientDictionary } from './client-dictionary.ts';
import type { LaneTiming } from './intake-limits.ts';
import type { QueuedShare } from './share-queue.ts';

/** A dictionary as the consumers of a lane have it. */
interface Known {
  /** Number of the dictionary within the lane's epoch. */
  readonly number: number;
  /** Number of its refs that are defined. */
  defined: number;
}

/** Definitions for one block. */
export interface NextDefinitions {
  readonly definitions: readonly Definitions[];
  /** Bytes of the definitions, at most. */
  readonly sizeBytes: number;
  /** True when the shares need no others. */
  readonly isComplete: boolean;
  /** Number of refs that each dictionary has with them. */
  readonly ends: ReadonlyMap<Known, number>;
}

/** Dictionaries of clients that have left are forgotten at this many, or when they are half of all. */
const FORGOTTEN_FROM = 64;

/**
 * Definitions that the consumers of a lane have. A ref is defined before the first block that uses it, and again in the
 * lane's next epoch, so that consumers keep a bounded number of definitions.
 */
export class LaneDefinitions {
  readonly #timing: Pick<LaneTiming, 'epochMs' | 'epochRefs'>;
  readonly #clock: Clock;
  readonly #known = new Map<ClientDictionary, Known>();
  #nextNumber = 0;
  #epoch = 0;
  #startedMs: number;
  #refs = 0;
  #keyframeOffset = -1;
  /** Number of refs at which it is checked whether a new epoch would have fewer. */
  #checkedAtRefs: number;
  /** Number of dictionaries at which those of clients that have left are forgotten. */
  #forgetAt = FORGOTTEN_FROM;

  constructor(timing: Pick<LaneTiming, 'epochMs' | 'epochRefs'>, clock: Clock) {
    this.#timing = timing;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#checkedAtRefs = timing.epochRefs;
  }

  /** Number of dictionaries that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Offset of the epoch's first block, -1 before it is appended. */
  get keyframeOffset(): number {
    return this.#keyframeOffset;
  }

  /** Starts a new epoch when one is due. Call it before the first block of some shares. */
  begin(): void {
    if (this.#known.size >= this.#forgetAt) this.#forget();
    if (this.#keyframeOffset < 0) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#startedMs < this.#timing.epochMs && !this.#hasManyOldRefs()) return;
    this.#epoch++;
    this.#startedMs = nowMs;
    this.#refs = 0;
    this.#keyframeOffset = -1;
    this.#known.clear();
    this.#nextNumber = 0;
  }

  /** Returns the number of a share's dictionary. */
  numberOf({ dictionary }: Pick<QueuedShare, 'dictionary'>): number {
    return this.#of(dictionary).number;
  }

  /**
   * Returns definitions that the shares need and consumers lack, as many as fit in `limitBytes`, which has room for one.
   * `appended` must follow when they are in the log.
   */
  next(shares: readonly Pick<QueuedShare, 'dictionary' | 'summary'>[], limitBytes: number): NextDefinitions {
    const definitions: Definitions[] = [];
    const ends = new Map<Known, number>();
    let sizeBytes = 0;
    for (const { dictionary, summary } of shares) {
      const known = this.#of(dictionary);
      const firstRef = ends.get(known) ?? known.defined;
      const end = summary.maxRef + 1;
      if (firstRef >= end) continue;
      const { to, usedBytes } = fitting(dictionary, firstRef, end, limitBytes - sizeBytes);
      if (to > firstRef) {
        definitions.push({ dictionary: known.number, firstRef, series: dictionary.definitions(firstRef, to) });
        ends.set(known, to);
        sizeBytes += usedBytes;
      }
      if (to === end) continue;
      assert(definitions.length > 0, `${limitBytes} bytes have room for a definition`);
      return { definitions, sizeBytes, isComplete: false, ends };
    }
    return { definitions, sizeBytes, isComplete: true, ends };
  }

  /** Records that a block was appended, with definitions from `next`. The first one of an epoch is its keyframe. */
  appended(offset: number, { ends }: Pick<NextDefinitions, 'ends'>): void {
    if (this.#keyframeOffset < 0) this.#keyframeOffset = offset;
    for (const [known, end] of ends) {
      this.#refs += end - known.defined;
      known.defined = end;
    }
  }

  #of(dictionary: ClientDictionary): Known {
    let known = this.#known.get(dictionary);
    if (known === undefined) {
      known = { number: this.#nextNumber++, defined: 0 };
      this.#known.set(dictionary, known);
    }
    return known;
  }

  /**
   * Returns true when the epoch has too many refs, and at least half of them are of clients that have left. A new epoch
   * would otherwise define the same refs again, at once.
   */
  #hasManyOldRefs(): boolean {
    if (this.#refs < this.#checkedAtRefs) return false;
    this.#forget();
    let inUse = 0;
    for (const { defined } of this.#known.values()) inUse += defined;
    this.#checkedAtRefs = Math.max(this.#timing.epochRefs, 2 * inUse);
    return this.#refs >= this.#checkedAtRefs;
  }

  #forget(): void {
    for (const dictionary of this.#known.keys()) if (dictionary.hasLeft) this.#known.delete(dictionary);
    this.#forgetAt = Math.max(FORGOTTEN_FROM, 2 * this.#known.size);
  }
}

/** Returns up to which ref, at most `end`, definitions from `from` on fit in a number of bytes. */
function fitting(
  dictionary: ClientDictionary,
  from: number,
  end: number,
  limitBytes: number,
): { readonly to: number; readonly usedBytes: number } {
  let usedBytes = DEFINITION_BYTES.entry;
  let to = from;
  for (; to < end; to++) {
    const runBytes = to === from || dictionary.startsRun(to) ? DEFINITION_BYTES.run : 0;
    if (usedBytes + runBytes + DEFINITION_BYTES.series > limitBytes) break;
    usedBytes += runBytes + DEFINITION_BYTES.series;
  }
  return { to, usedBytes };
}
