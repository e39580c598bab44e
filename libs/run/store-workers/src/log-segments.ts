import type { TrimmableLog } from './trim-point.ts';

/** The segments of one partition of the log, as far as its writer has announced them. */
export class LogSegments implements TrimmableLog {
  /** Ascending bases of segments that were written, without the log's first one. */
  #bases: number[] = [];

  /** Notes that the log begins at `first`, and that the segment that begins at `segment` is written. */
  note(first: number, segment: number): void {
    if (segment > (this.#bases.at(-1) ?? first)) this.#bases.push(segment);
    this.#bases = this.#bases.filter((base) => base > first);
  }

  /** Whether a trim below `offset` deletes a segment. */
  canTrim(offset: number): boolean {
    return this.#bases.length > 0 && this.#bases[0] <= offset;
  }

  /** Whether it deletes a segment that a trim below `before` keeps. */
  canTrimMore(before: number, offset: number): boolean {
    return this.#bases.some((base) => base > before && base <= offset);
  }
}
