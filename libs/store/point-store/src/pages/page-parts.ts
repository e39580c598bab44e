import {
  BODY_BYTES_LIMIT,
  PAGE_TIMES_LIMIT,
  type PageSource,
  type PageWriter,
  SharedTimes,
  type TimesWriter,
} from '@tidemark/page';
import type { SeriesPoints, SeriesSketches } from '../series/series-columns.ts';

/** The size of a sketch before it, a varint, at most. */
const SKETCH_SIZE_BYTES = 4;

type PartPoints = Pick<SeriesPoints, 'timesMs' | 'values' | 'length'>;

interface RestOfPoints {
  readonly points: PartPoints;
  readonly times: TimesWriter | undefined;
  at: number;
}

/** Writes slots of any length: what one page can't hold goes into further ones. */
export class PageParts {
  readonly #writer: PageWriter;
  /** By series, what the page that is being written lacks. */
  readonly #points = new Map<number, RestOfPoints>();
  readonly #sketches = new Map<number, { readonly sketches: SeriesSketches; at: number }>();

  constructor(writer: PageWriter) {
    this.#writer = writer;
  }

  /** Forgets what an error has left of other pages. */
  clear(): void {
    this.#writer.clear();
    this.#points.clear();
    this.#sketches.clear();
  }

  /**
   * Adds the points of a series, as pages have them; they stay unchanged until the last page was taken. Their times go to `times`
   * where others may have the same.
   */
  addPoints(series: number, points: PartPoints, times?: TimesWriter): void {
    this.#points.set(series, { points, times, at: 0 });
    this.#writePoints(series);
  }

  /** Adds the sketches of a series, ascending by time. */
  addSketches(series: number, sketches: SeriesSketches): void {
    this.#sketches.set(series, { sketches, at: 0 });
    this.#writeSketches(series);
  }

  /** The pages of all slots that were added to this and to the writer. */
  *finish(source: PageSource): Generator<Buffer> {
    while (this.#writer.slots > 0) {
      yield this.#writer.finish(source);
      for (const series of [...this.#points.keys()]) this.#writePoints(series);
      for (const series of [...this.#sketches.keys()]) this.#writeSketches(series);
    }
  }

  #writePoints(series: number): void {
    const rest = this.#points.get(series);
    if (rest === undefined) return;
    const { values, length } = rest.points;
    const end = Math.min(length, rest.at + PAGE_TIMES_LIMIT);
    this.#writer.addValues(series, this.#classOf(rest, end), values, rest.at, end);
    rest.at = end;
    if (end === length) this.#points.delete(series);
  }

  #classOf({ points: { timesMs }, times, at }: RestOfPoints, end: number): number {
    const classes = this.#writer.times;
    if (times === undefined) return classes.add(timesMs, at, end);
    const shared = new SharedTimes(timesMs.subarray(at, end));
    // Regular times of so many points are short.
    return classes.addShared(shared, shared.stepMs < 0 ? times.placeOf(shared) : undefined);
  }

  #writeSketches(series: number): void {
    const rest = this.#sketches.get(series);
    if (rest === undefined) return;
    const { timesMs, payloads, length } = rest.sketches;
    let end = rest.at;
    for (let size = 0; end < length && end - rest.at < PAGE_TIMES_LIMIT; end++) {
      size += payloads[end].length + SKETCH_SIZE_BYTES;
      if (size > BODY_BYTES_LIMIT && end > rest.at) break;
    }
    this.#writer.addSketches(series, this.#writer.times.add(timesMs, rest.at, end), payloads.slice(rest.at, end));
    rest.at = end;
    if (end === length) this.#sketches.delete(series);
  }
}
