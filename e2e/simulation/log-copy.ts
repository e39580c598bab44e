import { compareBytes } from '@tidemark/bytes';
import type { EmbeddedLog } from '@tidemark/embedded-log';
import { isTidemarkError, type Log, type LogRecord, TidemarkError, type Topic } from '@tidemark/ports';
import { Violation } from './violation.ts';

const COPIED: readonly Topic[] = ['points', 'tags', 'control'];
const READ_BYTES = 1 << 20;

/** A record that no store can decode. */
export const STRANGE_RECORD = Buffer.from('a record of another program');

/**
 * A copy of every record that the log ever made readable, outside of the simulated machines. A readable record is
 * durable: after every restart the log must have the same bytes.
 */
export class LogCopy {
  readonly #partitions: number;
  readonly #records = new Map<string, Uint8Array[]>();
  readonly #timesMs = new Map<string, number[]>();
  /** Records of which a bit was flipped on the disk, by topic, partition and offset. */
  readonly #rotten = new Set<string>();
  /** Those of them that no store had read. */
  readonly #unread = new Set<string>();
  /** Offset after the last record that a store has read, by topic and partition. */
  readonly #read = new Map<string, number>();
  records = 0;
  restartsChecked = 0;

  constructor(partitions: number) {
    this.#partitions = partitions;
    for (const { topic, partition } of this.#places()) {
      this.#records.set(`${topic}/${partition}`, []);
      this.#timesMs.set(`${topic}/${partition}`, []);
    }
  }

  of(topic: Topic, partition: number): Uint8Array[] {
    return this.#records.get(`${topic}/${partition}`) ?? [];
  }

  /** Append times of the records. */
  timesMs(topic: Topic, partition: number): number[] {
    return this.#timesMs.get(`${topic}/${partition}`) ?? [];
  }

  /** Notes that a bit of a record was flipped: the log may lose this record, and no other. */
  rot(topic: Topic, partition: number, offset: number): void {
    this.#rotten.add(`${topic}/${partition}/${offset}`);
    if (offset >= this.firstUnread(topic, partition)) this.#unread.add(`${topic}/${partition}/${offset}`);
  }

  /** True when a bit was flipped in a record of the topic. */
  hasRotten(topic: Topic): boolean {
    return [...this.#rotten].some((place) => place.startsWith(`${topic}/`));
  }

  /** True for a record at which a store may halt. */
  isDamaged(topic: Topic, partition: number, offset: number): boolean {
    return this.#rotten.has(`${topic}/${partition}/${offset}`) || this.isPassed(topic, partition, offset);
  }

  /** True for a record that no store has applied: it can't be decoded, or was lost before any store had read it. */
  isPassed(topic: Topic, partition: number, offset: number): boolean {
    return isStrange(this.of(topic, partition)[offset]) || this.isLost(topic, partition, offset);
  }

  /** True for a record that was lost before any store had read it. */
  isLost(topic: Topic, partition: number, offset: number): boolean {
    return this.#unread.has(`${topic}/${partition}/${offset}`);
  }

  /** Returns a record that was lost before any store had read it, unless none could have decoded it. */
  lostRecord(topic: Topic, partition: number, offset: number): Uint8Array | undefined {
    const value = this.of(topic, partition)[offset];
    return this.isLost(topic, partition, offset) && !isStrange(value) ? value : undefined;
  }

  /** The offset after the last record that a store has read. */
  firstUnread(topic: Topic, partition: number): number {
    return this.#read.get(`${topic}/${partition}`) ?? 0;
  }

  /** The log of a store, whose reads are noted. A reply with a record that was lost meanwhile is lost, too. */
  watched(log: Pick<Log, 'read' | 'bounds'>): Pick<Log, 'read' | 'bounds'> {
    return {
      bounds: (topic, partition) => log.bounds(topic, partition),
      read: async (topic, partition, from, options) => {
        const records = await log.read(topic, partition, from, options);
        const place = `${topic}/${partition}`;
        for (const { offset } of records) {
          if (this.#unread.has(`${place}/${offset}`)) throw new TidemarkError('unavailable', 'the reply was lost');
        }
        this.#read.set(place, Math.max(this.firstUnread(topic, partition), (records.at(-1)?.offset ?? -1) + 1));
        return records;
      },
    };
  }

  /**
   * Copies the partitions that one process leads, from the end of the copy. Each read is compared with known records.
   */
  async follow(
    log: EmbeddedLog,
    isLed: (topic: Topic, partition: number) => boolean,
    isAlive: () => boolean,
    failed: (error: unknown) => void,
  ): Promise<void> {
    const places = this.#places().filter(({ topic, partition }) => isLed(topic, partition));
    for (const { topic, partition } of places) await this.#checkKept(log, topic, partition);
    this.restartsChecked++;
    for (const { topic, partition } of places) this.#followOne(log, topic, partition, isAlive).catch(failed);
  }

  async #checkKept(log: EmbeddedLog, topic: Topic, partition: number): Promise<void> {
    const known = this.of(topic, partition);
    const { first, next } = await log.bounds(topic, partition);
    if (next < known.length) {
      throw new Violation(
        'log-keeps',
        `${topic}/${partition} ends at ${next}, records up to ${known.length} were read`,
      );
    }
    let at = first;
    while (at < known.length) {
      const records = await this.#readKept(log, topic, partition, at);
      for (const record of records) {
        if (record.offset >= known.length) break;
        if (compareBytes(record.value, known[record.offset]) !== 0) {
          throw new Violation('log-keeps', `${topic}/${partition} has another record at ${record.offset} than before`);
        }
      }
      at = (records.at(-1)?.offset ?? at) + 1;
    }
  }

  /** Reads records that the log has had; none where flipped bits have cost these records, and no others. */
  async #readKept(log: EmbeddedLog, topic: Topic, partition: number, at: number): Promise<readonly LogRecord[]> {
    try {
      return await log.read(topic, partition, at, { maxBytes: READ_BYTES, waitMs: 0 });
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
      const resumeAt = Number(error.detail.resumeAt);
      for (let lost = at; lost < resumeAt; lost++) {
        const place = `${topic}/${partition}/${lost}`;
        if (!this.#rotten.has(place)) throw new Violation('log-keeps', `${place} is lost: ${error.message}`);
      }
      return [];
    }
  }

  async #followOne(log: EmbeddedLog, topic: Topic, partition: number, isAlive: () => boolean): Promise<void> {
    const known = this.of(topic, partition);
    while (isAlive()) {
      try {
        const options = { maxBytes: READ_BYTES, waitMs: 10_000 };
        for (const record of await log.read(topic, partition, known.length, options)) {
          known.push(Uint8Array.from(record.value));
          this.timesMs(topic, partition).push(record.appendTimeMs);
          this.records++;
        }
      } catch (error) {
        if (!isTidemarkError(error, 'unavailable')) throw error;
      }
    }
  }

  #places(): { topic: Topic; partition: number }[] {
    return COPIED.flatMap((topic) =>
      Array.from({ length: topic === 'control' ? 1 : this.#partitions }, (_, partition) => ({ topic, partition })),
    );
  }
}

function isStrange(value: Uint8Array | undefined): boolean {
  return value !== undefined && compareBytes(value, STRANGE_RECORD) === 0;
}
