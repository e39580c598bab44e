import type { ByteWriter } from '@tidemark/bytes';
import { decodeShare, encodeShare, orderPoints, orderSketches, PointColumns, SketchColumns } from '@tidemark/columns';
import { KIND } from '@tidemark/model';
import { BatchFate } from './batch-fate.ts';
import type { ColumnPlan } from './column-plan.ts';
import type { SeriesTable } from './series-table.ts';

/** No point encodes to more than this: ref, timestamp and value, each at its worst. */
export const POINT_BYTES = 24;
const SKETCH_EXTRA_BYTES = 32;

interface Layer {
  readonly plan: ColumnPlan;
  readonly timeMs: number;
  readonly values: Float64Array<ArrayBuffer>;
  /** How many loose points were recorded before it. */
  readonly pointsBefore: number;
}

/** Points without a stamp, by series number, as a flush cut them: no map need be known. */
export class RawBatch {
  readonly #layers: Layer[] = [];
  readonly #points = new PointColumns(0);
  readonly #sketches = new SketchColumns(0);
  #layerPoints = 0;
  #sketchBytes = 0;
  #minTimeMs = Number.POSITIVE_INFINITY;
  #fate: BatchFate | undefined;

  /** What becomes of its points; ask when all of them are in. */
  get fate(): BatchFate {
    this.#fate ??= new BatchFate(this.points);
    return this.#fate;
  }

  /** Points and sketches. */
  get points(): number {
    return this.#layerPoints + this.#points.length + this.#sketches.length;
  }

  /** Upper bound of its encoded size, bytes. */
  get boundBytes(): number {
    return this.points * POINT_BYTES + this.#sketchBytes;
  }

  /** Bytes that it holds in memory. */
  get sizeBytes(): number {
    return this.#layerPoints * 8 + (this.#points.length + this.#sketches.length) * 20 + this.#sketchBytes;
  }

  get minTimeMs(): number {
    return this.#minTimeMs;
  }

  /** The one layer that is all of the batch, if it is. */
  get onlyLayer(): Layer | undefined {
    return this.#layers.length === 1 && this.points === this.#layerPoints ? this.#layers[0] : undefined;
  }

  get sketches(): SketchColumns {
    return this.#sketches;
  }

  addPoint(number: number, timeMs: number, value: number): void {
    this.#points.push(number, timeMs, value);
    if (timeMs < this.#minTimeMs) this.#minTimeMs = timeMs;
  }

  addSketch(number: number, timeMs: number, payload: Uint8Array): void {
    this.#sketches.push(number, timeMs, payload);
    this.#sketchBytes += payload.length + SKETCH_EXTRA_BYTES;
    if (timeMs < this.#minTimeMs) this.#minTimeMs = timeMs;
  }

  /** `values` belong to the batch from now on. */
  addLayer(plan: ColumnPlan, timeMs: number, values: Float64Array<ArrayBuffer>): void {
    this.#layers.push({ plan, timeMs, values, pointsBefore: this.#points.length });
    this.#layerPoints += values.length;
    if (timeMs < this.#minTimeMs) this.#minTimeMs = timeMs;
  }

  /** The lists that its layers were recorded of. */
  get plans(): readonly ColumnPlan[] {
    return this.#layers.map(({ plan }) => plan);
  }

  /** Series numbers of the points and sketches that no layer has; those of points of one series are repeated. */
  get looseNumbers(): readonly Uint32Array[] {
    return [this.#points, this.#sketches].map(({ refs, length }) => refs.subarray(0, length));
  }

  /**
   * Returns the points of series for which `isFirst` holds, and the others. A layer is not divided: with one of the others,
   * all its series are, so that the points of a series keep their order.
   */
  divide(isFirst: (number: number) => boolean): [first: RawBatch, others: RawBatch] {
    const [first, others] = [new RawBatch(), new RawBatch()];
    const held = this.#heldByLayers(isFirst);
    const partOf = (number: number) => (isFirst(number) && !held.has(number) ? first : others);
    const { refs, timesMs, values } = this.#points;
    const addPoints = (from: number, to: number) => {
      for (let i = from; i < to; i++) partOf(refs[i]).addPoint(refs[i], timesMs[i], values[i]);
    };
    let added = 0;
    for (const { plan, timeMs, values: ofLayer, pointsBefore } of this.#layers) {
      addPoints(added, pointsBefore);
      partOf(plan.numbers[0]).addLayer(plan, timeMs, ofLayer);
      added = pointsBefore;
    }
    addPoints(added, this.#points.length);
    for (let i = 0; i < this.#sketches.length; i++) {
      const { refs, timesMs, payloads } = this.#sketches;
      partOf(refs[i]).addSketch(refs[i], timesMs[i], payloads[i]);
    }
    return [first, others];
  }

  /** The series of the layers that have one for which `isFirst` does not hold, or one of such a layer. */
  #heldByLayers(isFirst: (number: number) => boolean): ReadonlySet<number> {
    const held = new Set<number>();
    const plans = new Set(this.#layers.map(({ plan }) => plan));
    let before: number;
    do {
      before = plans.size;
      for (const plan of plans) {
        if (plan.numbers.every((number) => isFirst(number) && !held.has(number))) continue;
        for (const number of plan.numbers) held.add(number);
        plans.delete(plan);
      }
    } while (plans.size < before);
    return held;
  }

  /** All points, layers spread out, in the order recorded; refs are series numbers. */
  flatPoints(): PointColumns {
    const flat = new PointColumns(this.#points.length + this.#layerPoints);
    let added = 0;
    const addPoints = (end: number) => {
      flat.refs.set(this.#points.refs.subarray(added, end), flat.length);
      flat.timesMs.set(this.#points.timesMs.subarray(added, end), flat.length);
      flat.values.set(this.#points.values.subarray(added, end), flat.length);
      flat.length += end - added;
      added = end;
    };
    for (const { plan, timeMs, values, pointsBefore } of this.#layers) {
      addPoints(pointsBefore);
      const at = flat.length;
      flat.refs.set(plan.numbers, at);
      flat.timesMs.fill(timeMs, at, at + values.length);
      flat.values.set(values, at);
      flat.length = at + values.length;
    }
    addPoints(this.#points.length);
    return flat;
  }

  /**
   * Appends the batch as one share whose refs are series numbers: how it waits in a spool. Returns its points, of which
   * those of equal series and timestamp are one.
   */
  encode(series: SeriesTable, out: ByteWriter): number {
    const points = orderPoints(this.flatPoints(), (number) => series.get(number).kind === KIND.count);
    encodeShare(points, this.#sketches.length > 0 ? orderSketches(this.#sketches) : undefined, out);
    return points.length + this.#sketches.length;
  }

  /**
   * Reads the bytes of `encode`, leaving out points of series beyond `knownSeries` (their definitions were lost). Errors:
   * `data_loss`.
   */
  static decode(bytes: Uint8Array, knownSeries: number): RawBatch {
    const points = new PointColumns(0);
    const sketches = new SketchColumns(0);
    decodeShare(bytes, points, sketches);
    const batch = new RawBatch();
    for (let i = 0; i < points.length; i++) {
      if (points.refs[i] < knownSeries) batch.addPoint(points.refs[i], points.timesMs[i], points.values[i]);
    }
    for (let i = 0; i < sketches.length; i++) {
      if (sketches.refs[i] < knownSeries) batch.addSketch(sketches.refs[i], sketches.timesMs[i], sketches.payloads[i]);
    }
    return batch;
  }
}
