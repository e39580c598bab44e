import { type Disk, isTidemarkError, type LogRecord, TidemarkError, type Topic } from '@tidemark/ports';
import type { EmbeddedLogLimits } from './embedded-log-limits.ts';
import { type ReadBytes, SegmentFile } from './segment-file.ts';
import { partitionFolder, segmentBase } from './segment-format.ts';

/** The segments of one partition for readers: a sequence of files, each of which ends where the next one begins. */
export class PartitionFiles {
  readonly #disk: Disk;
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #limits: EmbeddedLogLimits;
  #segments: SegmentFile[] = [];

  constructor(disk: Disk, topic: Topic, partition: number, limits: EmbeddedLogLimits) {
    this.#disk = disk;
    this.#topic = topic;
    this.#partition = partition;
    this.#limits = limits;
  }

  has(base: number): boolean {
    return this.#segments.some((segment) => segment.base === base);
  }

  /** Adds the segment that begins at `base`, after all others. A segment of that base had no durable record. */
  add(base: number): SegmentFile {
    const last = this.#segments[this.#segments.length - 1];
    if (last?.base === base) this.#segments.pop();
    const segment = new SegmentFile(this.#disk, this.#topic, this.#partition, base, this.#limits.readBytes);
    this.#segments.push(segment);
    return segment;
  }

  /** Lists the folder again, and keeps the state of segments that still exist. */
  async refresh(): Promise<void> {
    const bases = await listSegments(this.#disk, this.#topic, this.#partition);
    const known = new Map(this.#segments.map((segment) => [segment.base, segment]));
    this.#segments = bases.map(
      (base) =>
        known.get(base) ?? new SegmentFile(this.#disk, this.#topic, this.#partition, base, this.#limits.readBytes),
    );
    for (const [base, segment] of known) if (!bases.includes(base)) await segment.close();
  }

  /** Forgets the segments that begin below `first`. */
  async dropBelow(first: number): Promise<void> {
    const gone = this.#segments.filter((segment) => segment.base < first);
    this.#segments = this.#segments.filter((segment) => segment.base >= first);
    for (const segment of gone) await segment.close();
  }

  /** Records from `from` on, of those below `next`; errors as of `SegmentFile.read`, or `out_of_range` when trimmed. */
  async read(from: number, next: number, options: ReadBytes): Promise<LogRecord[]> {
    let at = this.#segments.length - 1;
    while (at >= 0 && this.#segments[at].base > from) at--;
    if (at < 0) throw trimmed(this.#topic, this.#partition, from);
    const segment = this.#segments[at];
    const limit = Math.min(next, this.#segments[at + 1]?.base ?? next);
    try {
      return await segment.read(from, limit, options);
    } catch (error) {
      // Trimmed during the read.
      if (isTidemarkError(error, 'not_found')) throw trimmed(this.#topic, this.#partition, from);
      throw error;
    } finally {
      await this.#closeSpare(segment);
    }
  }

  async close(): Promise<void> {
    const segments = this.#segments;
    this.#segments = [];
    for (const segment of segments) await segment.close();
  }

  async #closeSpare(used: SegmentFile): Promise<void> {
    const open = this.#segments.filter((segment) => segment.isOpen && segment !== used);
    for (const segment of open.slice(0, Math.max(0, open.length + 1 - this.#limits.openSegments)))
      await segment.close();
  }
}

/** The bases of a partition's segments, ascending. */
export async function listSegments(disk: Disk, topic: Topic, partition: number): Promise<number[]> {
  const names = await disk.list(partitionFolder(topic, partition));
  return names
    .map(segmentBase)
    .filter((base) => base !== undefined)
    .sort((a, b) => a - b);
}

export function trimmed(topic: Topic, partition: number, from: number): TidemarkError {
  return new TidemarkError('out_of_range', `offset ${from} of ${topic} partition ${partition} was trimmed`, {
    topic,
    partition,
    offset: from,
  });
}
