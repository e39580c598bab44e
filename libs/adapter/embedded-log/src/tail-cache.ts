import type { LogRecord } from '@tidemark/ports';

interface CachedGroup {
  readonly records: readonly LogRecord[];
  readonly sizeBytes: number;
}

/**
 * The latest records of a partition in memory, so that readers at the tail need no file. Most partitions have no reader in the
 * thread that appends, so records are kept from a read on, until as many were added as fit without another read.
 */
export class TailCache {
  readonly #limitBytes: number;
  readonly #groups: CachedGroup[] = [];
  #sizeBytes = 0;
  /** Bytes that were added since the last read. */
  #unreadBytes = Number.POSITIVE_INFINITY;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** True if the cache keeps the records of a group of so many bytes: `add` them, and `passOver` another. */
  keeps(sizeBytes: number): boolean {
    return this.#unreadBytes + sizeBytes <= this.#limitBytes;
  }

  /** Notes a group that is not kept. */
  passOver(sizeBytes: number): void {
    this.#unreadBytes += sizeBytes;
    this.#clear();
  }

  /**
   * Adds the records of a group; their values are views of `sizeBytes` bytes of memory. Where they don't follow those
   * added before, because records between are lost, only they are kept.
   */
  add(records: readonly LogRecord[], sizeBytes: number): void {
    this.#unreadBytes += sizeBytes;
    const before = this.#groups.at(-1)?.records.at(-1)?.offset;
    if (before !== undefined && records[0].offset !== before + 1) this.#clear();
    this.#groups.push({ records, sizeBytes });
    this.#sizeBytes += sizeBytes;
    while (this.#sizeBytes > this.#limitBytes) this.#sizeBytes -= this.#groups.shift()?.sizeBytes ?? 0;
  }

  /** Records from `from` on, at most `maxBytes` beyond the first, or undefined when `from` is not cached. */
  read(from: number, maxBytes: number): LogRecord[] | undefined {
    this.#unreadBytes = 0;
    let at = this.#groups.length - 1;
    while (at >= 0 && this.#groups[at].records[0].offset > from) at--;
    if (at < 0) return undefined;
    const records: LogRecord[] = [];
    let valueBytes = 0;
    let skip = from - this.#groups[at].records[0].offset;
    for (; at < this.#groups.length; at++) {
      const group = this.#groups[at].records;
      for (let i = skip; i < group.length; i++) {
        valueBytes += group[i].value.length;
        if (records.length > 0 && valueBytes > maxBytes) return records;
        records.push(group[i]);
      }
      skip = 0;
    }
    return records.length > 0 ? records : undefined;
  }

  #clear(): void {
    this.#groups.length = 0;
    this.#sizeBytes = 0;
  }
}
