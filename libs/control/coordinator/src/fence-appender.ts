import { type FenceInfo, fenceKey } from '@tidemark/control-log';
import { FIRST_ERA } from '@tidemark/model';
import { ALL_LANES, encodeBareRecord, RECORD } from '@tidemark/point-records';
import { type Clock, isTidemarkError, type Log, SettlingWriter } from '@tidemark/ports';

/** Fences that may wait for one partition; further fences wait in `control`. */
const FENCES_PER_PARTITION = 256;

interface Copying {
  readonly fence: FenceInfo;
  /** Partitions that have no copy yet. */
  readonly missing: Set<number>;
  /** Partitions among them to which a copy is being appended. */
  readonly under: Set<number>;
}

/**
 * Copies fences from `control` into the partitions whose lanes they end. Partitions are independent: one that accepts
 * no append does not delay the others, nor a fence that does not concern it.
 */
export class FenceAppender {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #writers = new Map<number, SettlingWriter>();
  readonly #copying = new Map<string, Copying>();
  readonly #waiting = new Map<number, number>();
  #failure: unknown;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Why fences cannot be appended to a partition; undefined when they can. */
  get problem(): string | undefined {
    for (const [partition, waiting] of this.#waiting) {
      const problem = this.#writers.get(partition)?.problem;
      if (waiting > 0 && problem !== undefined) return `points/${partition} accepts no fence: ${problem.message}`;
    }
    return undefined;
  }

  /**
   * Starts to append the missing copies of these fences, the oldest first, and returns the fences that every partition
   * concerned has. A second copy changes nothing for consumers. Throws errors that are not errors of the log.
   */
  advance(fences: readonly FenceInfo[], partitions: number, signal: AbortSignal): FenceInfo[] {
    if (this.#failure !== undefined) throw this.#failure;
    const keys = new Set<string>();
    const done: FenceInfo[] = [];
    for (const fence of fences) {
      const key = fenceKey(fence.session, fence.lane);
      keys.add(key);
      const copying = this.#copying.get(key) ?? begun(fence, partitions);
      this.#copying.set(key, copying);
      for (const partition of copying.missing) {
        if (!copying.under.has(partition) && this.#has(partition)) void this.#copy(copying, partition, signal);
      }
      if (copying.missing.size === 0) done.push(fence);
    }
    for (const [key, { under }] of this.#copying) if (!keys.has(key) && under.size === 0) this.#copying.delete(key);
    return done;
  }

  /**
   * Appends copies of fences to a partition again, as far as it takes them, because it may have lost them. A second copy
   * changes nothing for consumers.
   */
  repeat(fences: readonly FenceInfo[], partition: number, signal: AbortSignal): void {
    for (const fence of fences) {
      if (!this.#has(partition) || (fence.lane !== undefined && fence.lane.partition !== partition)) continue;
      void this.#copy({ fence, missing: new Set([partition]), under: new Set() }, partition, signal);
    }
  }

  #has(partition: number): boolean {
    return (this.#waiting.get(partition) ?? 0) < FENCES_PER_PARTITION;
  }

  async #copy({ fence, missing, under }: Copying, partition: number, signal: AbortSignal): Promise<void> {
    under.add(partition);
    this.#waiting.set(partition, (this.#waiting.get(partition) ?? 0) + 1);
    const value = encodeBareRecord({
      type: RECORD.fence,
      partition,
      session: fence.session,
      lane: fence.lane?.lane ?? ALL_LANES,
      epoch: 0,
      sequence: fence.offset,
      markMs: 0,
      tagsOffset: 0,
      keyframeOffset: -1,
      era: FIRST_ERA,
      eraStartMs: 0,
    });
    try {
      await this.#writer(partition).append(value, signal);
      missing.delete(partition);
    } catch (error) {
      // The next call retries.
      if (!isTidemarkError(error)) this.#failure = error;
    } finally {
      under.delete(partition);
      this.#waiting.set(partition, (this.#waiting.get(partition) ?? 1) - 1);
    }
  }

  #writer(partition: number): SettlingWriter {
    let writer = this.#writers.get(partition);
    if (writer === undefined) {
      writer = new SettlingWriter(this.#log, 'points', partition, this.#clock);
      this.#writers.set(partition, writer);
    }
    return writer;
  }
}

function begun(fence: FenceInfo, partitions: number): Copying {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  return { fence, missing: new Set(fence.lane === undefined ? all : [fence.lane.partition]), under: new Set() };
}
