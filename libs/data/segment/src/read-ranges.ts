import { crc32c } from '@tidemark/bytes';
import { inParallel } from '@tidemark/ports';
import { segmentLoss } from './segment-error.ts';
import type { SegmentRange } from './segment-group.ts';

/** Reads bytes of one segment: of an object, a file, or memory. */
export interface SegmentSource {
  /** Bytes of the whole segment. */
  readonly sizeBytes: number;
  /** Returns exactly `length` bytes, which stay unchanged. Errors: its own. */
  readonly readRange: (offset: number, length: number) => Promise<Uint8Array>;
}

/** Reads a range of a segment. Throws `data_loss` where it has another length than it must, or another checksum. */
export async function readRange(source: SegmentSource, what: string, range: SegmentRange): Promise<Uint8Array> {
  const { offset, length } = range;
  const bytes = await source.readRange(offset, length);
  if (bytes.length !== length) throw segmentLoss(`${bytes.length} bytes of ${what}, not ${length}`, { offset, length });
  checkCrc(bytes, what, range);
  return bytes;
}

/** Throws `data_loss` for bytes with another checksum than the range says. */
export function checkCrc(bytes: Uint8Array, what: string, { offset, length, crc32c: expected }: SegmentRange): void {
  if (expected === undefined || expected === crc32c(bytes)) return;
  throw segmentLoss(`a wrong checksum of ${what}`, { offset, length });
}

/** How ranges are read together. */
export interface ReadLimits {
  /** Ranges with at most so many bytes between them are one read. */
  readonly gapBytes: number;
  /** Bytes of a read of several ranges at most. */
  readonly readBytes: number;
  /** Reads that wait at most. */
  readonly parallelReads: number;
}

/** The reads that have all ranges, ascending, in which no two overlap. */
export function joinRanges(ranges: readonly SegmentRange[], { gapBytes, readBytes }: ReadLimits): SegmentRange[] {
  const sorted = [...ranges].sort((a, b) => a.offset - b.offset);
  const reads: { offset: number; length: number }[] = [];
  for (const { offset, length } of sorted) {
    const last = reads.at(-1);
    const lastEnd = last === undefined ? 0 : last.offset + last.length;
    const end = offset + length;
    const isOverlapping = offset < lastEnd;
    if (last !== undefined && (isOverlapping || (offset - lastEnd <= gapBytes && end - last.offset <= readBytes))) {
      last.length = Math.max(lastEnd, end) - last.offset;
    } else {
      reads.push({ offset, length });
    }
  }
  return reads;
}

/** Bytes of reads, which are found by ranges within them. */
export class ReadBytes {
  readonly #reads: readonly SegmentRange[];
  readonly #bytes: readonly Uint8Array[];

  private constructor(reads: readonly SegmentRange[], bytes: readonly Uint8Array[]) {
    this.#reads = reads;
    this.#bytes = bytes;
  }

  /** Does reads that `joinRanges` has returned, several at a time. */
  static async of(source: SegmentSource, reads: readonly SegmentRange[], limits: ReadLimits): Promise<ReadBytes> {
    const bytes: Uint8Array[] = new Array(reads.length);
    await inParallel([...reads.keys()], limits.parallelReads, async (i) => {
      bytes[i] = await readRange(source, 'pages', reads[i]);
    });
    return new ReadBytes(reads, bytes);
  }

  /** The bytes of a range, as a view of its read. */
  at({ offset, length }: SegmentRange): Uint8Array {
    let low = 0;
    let high = this.#reads.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#reads[middle].offset <= offset) low = middle;
      else high = middle - 1;
    }
    const from = offset - this.#reads[low].offset;
    return this.#bytes[low].subarray(from, from + length);
  }
}
