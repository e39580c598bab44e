import type { SeriesClass } from '@tidemark/model';
import { finishAtOnce, type SlicedWork } from '@tidemark/ports';
import type { SeriesPart } from '@tidemark/segment';
import type { PageCodec } from '../pages/page-codec.ts';
import type { FoundSlot } from '../read/found-slot.ts';
import { appendPointsInPieces, appendSketchesInPieces, NO_VIEWS } from '../read/series-points.ts';
import { compactInPieces, sortSketchesInPieces } from '../series/resolve.ts';
import { SeriesPoints, SeriesSketches } from '../series/series-columns.ts';

const POINT_BYTES = 16;
/** Memory of a sketch in addition to its bytes, in points. */
const SKETCH_SIZE = 8;

/** What was read of a series, of batches of one map epoch. */
interface EpochPoints {
  readonly mapEpoch: number;
  readonly points: SeriesPoints | undefined;
  readonly sketches: SeriesSketches | undefined;
}

/** The points of one series that were read of the pages of a day, in log order. Nothing of the pages is kept. */
export class SeriesOfDay {
  readonly #hasSketches: boolean;
  readonly #epochs: EpochPoints[] = [];
  #size = 0;

  constructor(hasSketches: boolean) {
    this.#hasSketches = hasSketches;
  }

  /** Memory of the points and sketches, in points of 16 bytes. */
  get size(): number {
    return this.#size;
  }

  /** Adds the points of a slot, which come after those that were added in the log. Returns what it adds to the size. */
  add(slot: FoundSlot, codec: PageCodec): number {
    const { points, sketches } = this.#of(slot.page.mapEpoch);
    const before = this.#size;
    if (points !== undefined) {
      finishAtOnce(appendPointsInPieces(0, [slot], NO_VIEWS, codec, points));
      this.#size += slot.count;
    }
    if (sketches !== undefined) {
      const from = sketches.length;
      finishAtOnce(appendSketchesInPieces(0, [slot], NO_VIEWS, sketches));
      for (let i = from; i < sketches.length; i++) {
        // A view would keep the whole page.
        sketches.payloads[i] = Uint8Array.from(sketches.payloads[i]);
        this.#size += SKETCH_SIZE + Math.ceil(sketches.payloads[i].length / POINT_BYTES);
      }
    }
    return this.#size - before;
  }

  /** The points as segments have them, ascending by map epoch; only once. */
  *partsInPieces(seriesClass: SeriesClass): SlicedWork<SeriesPart[], number> {
    const parts: SeriesPart[] = [];
    for (const { mapEpoch, points, sketches } of this.#epochs.sort((a, b) => a.mapEpoch - b.mapEpoch)) {
      if (sketches !== undefined) {
        yield* sortSketchesInPieces(sketches);
        const timesMs = sketches.timesMs.slice(0, sketches.length);
        parts.push({ mapEpoch, timesMs, sketches: sketches.payloads.slice(0, sketches.length) });
      }
      if (points === undefined) continue;
      const { timesMs, values, length } = points;
      const end = yield* compactInPieces(seriesClass, timesMs, values, 0, length);
      parts.push({ mapEpoch, timesMs: timesMs.slice(0, end), values: values.slice(0, end) });
    }
    return parts;
  }

  #of(mapEpoch: number): EpochPoints {
    const known = this.#epochs.find((one) => one.mapEpoch === mapEpoch);
    if (known !== undefined) return known;
    const points = this.#hasSketches ? undefined : new SeriesPoints();
    const sketches = this.#hasSketches ? new SeriesSketches() : undefined;
    const epoch = { mapEpoch, points, sketches };
    this.#epochs.push(epoch);
    return epoch;
  }
}
