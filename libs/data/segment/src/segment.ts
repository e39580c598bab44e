import { compareBytes } from '@tidemark/bytes';
import { DAY_MS } from '@tidemark/model';
import { assert } from '@tidemark/ports';
import { type BlockBounds, readBlock } from './index-block.ts';
import { compareMetricKeys, compareNames, type MetricKey } from './metric-key.ts';
import { checkCrc, type ReadLimits, readRange, type SegmentSource } from './read-ranges.ts';
import { decodedAt, segmentLoss } from './segment-error.ts';
import { decodeFooter, FOOTER_BYTES, type SegmentFooter } from './segment-footer.ts';
import { SEGMENT_BYTES_LIMIT, type SegmentCounts, type SegmentHead } from './segment-format.ts';
import type { SegmentGroup } from './segment-group.ts';
import { HEADER_BYTES } from './segment-head.ts';
import { hasSome, isAscending } from './sorted-ids.ts';
import { type BlockPlace, readTopIndex } from './top-index.ts';

/** Bytes of the first read: of most segments they have the footer and the index of blocks. */
const TAIL_BYTES = 64 * 1024;
/** Bytes of index blocks of one read at most, except for a block that is longer. */
const BLOCKS_BYTES = 256 * 1024;

export interface SegmentLimits extends ReadLimits {
  /**
   * Bytes of RAM of a plan at most, if it has several groups: of its reads, with the gaps that they read, and of its pages. A group that
   * would make it more is in a further plan.
   */
  readonly planBytes: number;
  /** Bytes of the reads of one group at most; `resource_exhausted` for more. */
  readonly groupBytes: number;
}

export const DEFAULT_SEGMENT_LIMITS: SegmentLimits = {
  gapBytes: 64 * 1024,
  readBytes: 8 * 2 ** 20,
  parallelReads: 8,
  planBytes: 32 * 2 ** 20,
  groupBytes: 256 * 2 ** 20,
};

/** The metric whose groups are looked for, and ids that they may have; without ids all. */
export interface GroupQuery {
  readonly tenant: string;
  readonly metric: string;
  /** 16 bytes each, ascending. */
  readonly ids?: readonly Uint8Array[];
}

type Names = Omit<MetricKey, 'seriesClass'>;

/** A segment that was opened: its index of blocks is in memory. */
export class Segment {
  readonly source: SegmentSource;
  readonly limits: SegmentLimits;
  readonly #footer: SegmentFooter;
  readonly #blocks: readonly BlockPlace[];
  readonly #bounds: BlockBounds;

  private constructor(source: SegmentSource, limits: SegmentLimits, footer: SegmentFooter, blocks: BlockPlace[]) {
    this.source = source;
    this.limits = limits;
    this.#footer = footer;
    this.#blocks = blocks;
    this.#bounds = { dayStartMs: footer.head.day * DAY_MS, indexAt: footer.indexAt };
  }

  /**
   * Opens a segment by one read, or two where its index of blocks is long. Errors: those of the source, `data_loss` for
   * anything but a segment, `failed_precondition` for one of a newer program.
   */
  static async open(source: SegmentSource, limits: SegmentLimits = DEFAULT_SEGMENT_LIMITS): Promise<Segment> {
    const { sizeBytes } = source;
    if (!(sizeBytes >= HEADER_BYTES + FOOTER_BYTES && sizeBytes <= SEGMENT_BYTES_LIMIT)) {
      const limit = `${HEADER_BYTES + FOOTER_BYTES} to ${SEGMENT_BYTES_LIMIT}`;
      throw segmentLoss(`${sizeBytes} bytes (limit: ${limit})`, { sizeBytes });
    }
    const length = Math.min(TAIL_BYTES, sizeBytes);
    const tail = await readRange(source, 'the footer', { offset: sizeBytes - length, length });
    const footer = decodeFooter(tail, sizeBytes);
    const { topIndexAt, topIndexBytes, topIndexCrc } = footer;
    const where = { offset: topIndexAt, length: topIndexBytes };
    const from = topIndexAt - (sizeBytes - length);
    const top =
      from >= 0
        ? tail.subarray(from, from + topIndexBytes)
        : await readRange(source, 'the index of blocks', { ...where });
    checkCrc(top, 'the index of blocks', { ...where, crc32c: topIndexCrc });
    // The keys are views of what was read: of the whole tail otherwise.
    const blocks = decodedAt('the index of blocks', where, () => readTopIndex(Buffer.from(top), footer));
    return new Segment(source, limits, footer, blocks);
  }

  get head(): SegmentHead {
    return this.#footer.head;
  }

  get counts(): SegmentCounts {
    return this.#footer.counts;
  }

  /** The groups of a metric, of all its classes, that may have some of the ids. */
  async *groups({ tenant, metric, ids }: GroupQuery): AsyncGenerator<SegmentGroup> {
    assert(ids === undefined || isAscending(ids), 'ids ascend');
    const wanted = { tenant: Buffer.from(tenant), metric: Buffer.from(metric) };
    for await (const group of this.#groupsOf(this.#blocksOf(wanted, ids))) {
      if (compareNames(group, wanted) === 0 && hasSome(ids, group.firstId, group.lastId)) yield group;
    }
  }

  /** All groups, in their order. */
  allGroups(): AsyncGenerator<SegmentGroup> {
    return this.#groupsOf(this.#blocks);
  }

  /** The blocks that may have groups of a metric with some of the ids. */
  #blocksOf(wanted: Names, ids: readonly Uint8Array[] | undefined): BlockPlace[] {
    const found: BlockPlace[] = [];
    for (let i = this.#firstBlock(wanted); i < this.#blocks.length; i++) {
      const block = this.#blocks[i];
      if (compareNames(block, wanted) > 0) break;
      const next = this.#blocks.at(i + 1);
      // Where the next block continues the same metric, the ids of this one are between those of both.
      const isBetween = next !== undefined && compareNames(block, wanted) === 0 && compareMetricKeys(block, next) === 0;
      if (!isBetween || hasSome(ids, block.firstId, next.firstId)) found.push(block);
    }
    return found;
  }

  /** The last block that begins before the metric, or the first one. */
  #firstBlock(wanted: Names): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (compareNames(this.#blocks[middle], wanted) < 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async *#groupsOf(blocks: readonly BlockPlace[]): AsyncGenerator<SegmentGroup> {
    for (let at = 0; at < blocks.length; ) {
      const end = endOfRead(blocks, at);
      const { offset } = blocks[at];
      const length = blocks[end - 1].offset + blocks[end - 1].length - offset;
      const bytes = await readRange(this.source, 'index blocks', { offset, length });
      for (; at < end; at++) yield* this.#readBlock(blocks[at], bytes.subarray(blocks[at].offset - offset));
    }
  }

  #readBlock(block: BlockPlace, from: Uint8Array): SegmentGroup[] {
    const { offset, length } = block;
    const bytes = from.subarray(0, length);
    checkCrc(bytes, 'an index block', block);
    return decodedAt('an index block', { offset, length }, () => {
      const groups = readBlock(bytes, this.#bounds);
      const [group] = groups;
      if (group === undefined || compareNames(group, block) !== 0 || compareBytes(group.firstId, block.firstId) !== 0) {
        throw segmentLoss('an index block of other series than the index of blocks says', { offset, length });
      }
      return groups;
    });
  }
}

/** Where a read of blocks ends, which follow each other and are not too long together. */
function endOfRead(blocks: readonly BlockPlace[], from: number): number {
  const { offset } = blocks[from];
  let end = from + 1;
  while (end < blocks.length) {
    const { offset: at, length } = blocks[end];
    const before = blocks[end - 1];
    if (at !== before.offset + before.length || at + length - offset > BLOCKS_BYTES) break;
    end++;
  }
  return end;
}
