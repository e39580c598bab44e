import { toHex } from '@tidemark/bytes';
import type { SeriesSet } from '@tidemark/contract';
import { hash128 } from '@tidemark/model';

/**
 * Which series sets each partition's store is believed to know by their digest. A belief that is wrong costs one
 * more round trip: the store answers `failed_precondition`, and the ids are sent.
 */
export class KnownSets {
  readonly #setsPerPartition: number;
  readonly #setBytes: number;
  readonly #partitions = new Map<number, Set<string>>();

  constructor(setsPerPartition: number, setBytes: number) {
    this.#setsPerPartition = setsPerPartition;
    this.#setBytes = setBytes;
  }

  /** A set as it should be sent: a small one by its ids alone, a large one by its digest where it is known. */
  toSend(partition: number, series: Buffer): SeriesSet {
    if (series.length < this.#setBytes) return { digest: EMPTY, series };
    const digest = hash128(series);
    return { digest, series: this.#partitions.get(partition)?.has(toHex(digest)) ? EMPTY : series };
  }

  /** The store has answered, so it knows these now; the least recently used are believed no more. */
  learn(partition: number, sets: readonly SeriesSet[]): void {
    let known = this.#partitions.get(partition);
    if (known === undefined) {
      known = new Set();
      this.#partitions.set(partition, known);
    }
    for (const { digest } of sets) {
      if (digest.length === 0) continue;
      const key = toHex(digest);
      known.delete(key);
      known.add(key);
    }
    for (const oldest of known) {
      if (known.size <= this.#setsPerPartition) break;
      known.delete(oldest);
    }
  }

  forget(partition: number): void {
    this.#partitions.delete(partition);
  }
}

const EMPTY = Buffer.alloc(0);
