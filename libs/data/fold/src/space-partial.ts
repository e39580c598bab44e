import { assert, finishAtOnce, unreachable } from '@tidemark/ports';
import { DDSketch, mergePacked, unpackSketch } from '@tidemark/sketch';
import { SPACE_FOLD, type SpaceFold } from './fold.ts';
import { ScaledSums } from './scaled-sums.ts';
import type { FoldedSeries } from './time-folder.ts';
import type { Work } from './work.ts';

/** Sketches that are merged in one piece, and what one costs in units of the cost of a point. */
const SKETCHES = 64;
const SKETCH_COST = 32;

/** What to read off a partial at the end: sketches give more than one answer. */
export type SpaceRead =
  | { readonly type: 'value' }
  | { readonly type: 'quantile'; readonly quantile: number }
  | { readonly type: 'sketch-avg' | 'sketch-min' | 'sketch-max' };

/**
 * A group of series folded over space, one entry a step: what one store knows of the group. Partials of the same
 * fold and steps merge in any grouping and order to the same result, except that compensated sums depend on the order in
 * their last bit: merge in partition order.
 */
export class SpacePartial {
  readonly fold: SpaceFold;
  readonly steps: number;
  /** How many series had a value. */
  readonly count: Float64Array;
  /** Empty where the fold doesn't need it; the same for the columns below. */
  readonly sums: ScaledSums;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;
  readonly lastTimeMs: Float64Array;
  readonly sketches: (DDSketch | undefined)[];

  constructor(fold: SpaceFold, steps: number) {
    assert(Number.isInteger(steps) && steps > 0, 'steps is a positive integer');
    const needs = COLUMNS[fold];
    this.fold = fold;
    this.steps = steps;
    this.count = new Float64Array(steps);
    this.sums = new ScaledSums(needs.sum ? steps : 0);
    this.min = new Float64Array(needs.min ? steps : 0).fill(Number.POSITIVE_INFINITY);
    this.max = new Float64Array(needs.max ? steps : 0).fill(Number.NEGATIVE_INFINITY);
    this.last = new Float64Array(needs.last ? steps : 0);
    this.lastTimeMs = new Float64Array(needs.last ? steps : 0).fill(Number.NEGATIVE_INFINITY);
    this.sketches = needs.sketches ? new Array<DDSketch | undefined>(steps).fill(undefined) : [];
  }

  /**
   * Adds one series that a TimeFolder of the same steps has folded. A packed sketch that is damaged throws
   * `data_loss`, one of another accuracy than the group's `invalid_argument`; the partial then cannot be used.
   */
  addSeries(series: FoldedSeries): void {
    assert(series.present.length === this.steps, 'the series has the steps of the partial');
    const { values, present, lastTimesMs, first, end } = series;
    const { sums, min, max } = this;
    this.countSeries(series);
    switch (this.fold) {
      case SPACE_FOLD.avg:
      case SPACE_FOLD.sum:
        for (let i = first; i < end; i++) if (present[i] === 1) sums.add(i, values[i]);
        break;
      case SPACE_FOLD.min:
        for (let i = first; i < end; i++) if (present[i] === 1 && values[i] < min[i]) min[i] = values[i];
        break;
      case SPACE_FOLD.max:
        for (let i = first; i < end; i++) if (present[i] === 1 && values[i] > max[i]) max[i] = values[i];
        break;
      case SPACE_FOLD.count:
        break;
      case SPACE_FOLD.last:
        for (let i = first; i < end; i++) if (present[i] === 1) this.#offerLast(i, lastTimesMs[i], values[i]);
        break;
      case SPACE_FOLD.sketch:
        finishAtOnce(this.#addSketches(series));
        break;
      default:
        unreachable(this.fold);
    }
  }

  /** Does what `addSeries` does, for sketches in pieces: they take longer than the values of all steps. */
  *addSeriesInPieces(series: FoldedSeries): Work<void> {
    if (this.fold !== SPACE_FOLD.sketch) return this.addSeries(series);
    this.countSeries(series);
    yield* this.#addSketches(series);
  }

  /** Counts so many series that have values in these steps, without the values. */
  countSeries({ present, first, end }: Pick<FoldedSeries, 'present' | 'first' | 'end'>, series = 1): void {
    const { count } = this;
    for (let i = first; i < end; i++) count[i] += series * present[i];
  }

  *#addSketches({ packed, packedSteps }: FoldedSeries): Work<void> {
    for (let i = 0; i < packed.length; i++) {
      this.#mergePacked(packedSteps[i], packed[i]);
      if ((i + 1) % SKETCHES === 0) yield SKETCHES * SKETCH_COST;
    }
  }

  /** Adds what another store knows of the same group, with sketches of the same accuracy. `other` stays as it is. */
  merge(other: SpacePartial): void {
    assert(other.fold === this.fold && other.steps === this.steps, 'partials of the same fold and steps merge');
    const { count, sums, min, max, steps } = this;
    for (let i = 0; i < steps; i++) count[i] += other.count[i];
    sums.merge(other.sums);
    for (let i = 0; i < min.length; i++) if (other.min[i] < min[i]) min[i] = other.min[i];
    for (let i = 0; i < max.length; i++) if (other.max[i] > max[i]) max[i] = other.max[i];
    for (let i = 0; i < other.last.length; i++) this.#offerLast(i, other.lastTimeMs[i], other.last[i]);
    for (let i = 0; i < other.sketches.length; i++) {
      const sketch = other.sketches[i];
      if (sketch === undefined) continue;
      this.sketches[i] ??= new DDSketch({ alpha: sketch.alpha });
      this.sketches[i]?.merge(sketch);
    }
  }

  /** The finished values, NaN where no series had one. */
  values(read: SpaceRead = { type: 'value' }): Float64Array {
    const out = new Float64Array(this.steps).fill(Number.NaN);
    if (this.fold === SPACE_FOLD.sketch) {
      assert(read.type !== 'value', 'a partial of sketches is read by quantile or one of its exact figures');
      for (let i = 0; i < this.steps; i++) {
        const sketch = this.sketches[i];
        if (sketch !== undefined && sketch.count > 0) out[i] = readSketch(sketch, read);
      }
      return out;
    }
    assert(read.type === 'value', 'only a partial of sketches has quantiles');
    for (let i = 0; i < this.steps; i++) if (this.count[i] > 0) out[i] = this.#value(i);
    return out;
  }

  /** The newest value wins; of equally new ones the greater, so that the order of merging doesn't matter. */
  #offerLast(step: number, timeMs: number, value: number): void {
    const { last, lastTimeMs } = this;
    if (timeMs > lastTimeMs[step] || (timeMs === lastTimeMs[step] && value > last[step])) {
      lastTimeMs[step] = timeMs;
      last[step] = value;
    }
  }

  #mergePacked(step: number, packed: Uint8Array): void {
    const sketch = this.sketches[step];
    if (sketch === undefined) this.sketches[step] = unpackSketch(packed);
    else mergePacked(sketch, packed);
  }

  #value(step: number): number {
    switch (this.fold) {
      case SPACE_FOLD.min:
        return this.min[step];
      case SPACE_FOLD.max:
        return this.max[step];
      case SPACE_FOLD.last:
        return this.last[step];
      case SPACE_FOLD.count:
        return this.count[step];
      case SPACE_FOLD.avg:
        return this.sums.value(step, this.count[step]);
      default:
        return this.sums.value(step);
    }
  }
}

interface Columns {
  readonly sum: boolean;
  readonly min: boolean;
  readonly max: boolean;
  readonly last: boolean;
  readonly sketches: boolean;
}

const NONE: Columns = { sum: false, min: false, max: false, last: false, sketches: false };

const COLUMNS: Readonly<Record<SpaceFold, Columns>> = {
  [SPACE_FOLD.avg]: { ...NONE, sum: true },
  [SPACE_FOLD.sum]: { ...NONE, sum: true },
  [SPACE_FOLD.min]: { ...NONE, min: true },
  [SPACE_FOLD.max]: { ...NONE, max: true },
  [SPACE_FOLD.count]: NONE,
  [SPACE_FOLD.last]: { ...NONE, last: true },
  [SPACE_FOLD.sketch]: { ...NONE, sketches: true },
};

function readSketch(sketch: DDSketch, read: Exclude<SpaceRead, { type: 'value' }>): number {
  switch (read.type) {
    case 'quantile':
      return sketch.quantile(read.quantile).value;
    case 'sketch-avg':
      return sketch.sum / sketch.count;
    case 'sketch-min':
      return sketch.min;
    case 'sketch-max':
      return sketch.max;
    default:
      return unreachable(read);
  }
}
