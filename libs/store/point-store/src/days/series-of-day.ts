import type { SeriesClass } from '@tidemark/model';
import { finishAtOnce, type SlicedWork } from '@tidemark/ports';
import type { SeriesPart } from '@tidemark/segment';
import type { PageCodec } from '../pages/page-codec.ts';
import type { FoundSlot } from '../read/found-slot.ts';
import { appendPointsInPieces, appendSketchesInPieces, NO_VIEWS } from '../read/series-points.ts';
import { compactInPieces, sortSketchesInPieces } from '../series/resolve.ts';
import { SeriesPoints, SeriesSketches } from '../series/series-columns.ts';

/** What was read of a series, of batches of one map epoch. */
interface EpochPoints {
  readonly mapEpoch: number;
  readonly points: SeriesPoints | undefined;
  readonly sketches: SeriesSketches | undefined;
}

/** The points of one series that were read of the pages of a day, in log order. Nothing of the pages is kept but sketches. */
export class SeriesOfDay {
  readonly #hasSketches: boolean;
  readonly #epochs: EpochPoints[] = [];

  constructor(hasSketches: boolean) {
    this.#hasSketches = hasSketches;
  }

  /** Points and sketches. */
  get length(): number {
    return this.#epochs.reduce((sum, { points, sketches }) => sum + (points?.length ?? 0) + (sketches?.length ?? 0), 0);
  }

  /** Adds the points of a slot, which come after those that were added in the log. Returns their number. */
  add(slot: FoundSlot, codec: PageCodec): number {
    const { points, sketches } = this.#of(slot.page.mapEpoch);
    if (points !== undefined) finishAtOnce(appendPointsInPieces(0, [slot], NO_VIEWS, codec, points));
    if (sketches !== undefined) finishAtOnce(appendSketchesInPieces(0, [slot], NO_VIEWS, sketches));
    return slot.count;
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
