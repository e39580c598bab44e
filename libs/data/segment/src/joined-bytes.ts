import type { SegmentRange } from './segment-group.ts';

interface Span {
  readonly offset: number;
  readonly end: number;
}

/**
 * Counts the bytes that reads of ranges have, with the gaps between these, while ranges are added in any order. Those of `joinRanges`
 * are at most as many: where `readBytes` ends a read, the gap behind it is not read.
 */
export class JoinedBytes {
  /** Ranges with at most so many bytes between them are read together. */
  readonly #gapBytes: number;
  /** Ascending, with more than `gapBytes` between them. */
  readonly #spans: Span[] = [];
  #sizeBytes = 0;

  constructor(gapBytes: number) {
    this.#gapBytes = gapBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  addAll(ranges: readonly SegmentRange[]): void {
    for (const range of ranges) this.#add(range);
  }

  #add({ offset, length }: SegmentRange): void {
    const spans = this.#spans;
    const from = this.#firstNear(offset);
    let to = from;
    let start = offset;
    let end = offset + length;
    for (; to < spans.length && spans[to].offset <= end + this.#gapBytes; to++) {
      start = Math.min(start, spans[to].offset);
      end = Math.max(end, spans[to].end);
      this.#sizeBytes -= spans[to].end - spans[to].offset;
    }
    spans.splice(from, to - from, { offset: start, end });
    this.#sizeBytes += end - start;
  }

  /** Index of the first span that ends behind `offset`, or at most a gap before it. */
  #firstNear(offset: number): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#spans[middle].end + this.#gapBytes < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
