import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, orderPoints, orderSketches, PointColumns, SketchColumns } from '@tidemark/columns';
import type { Share } from '@tidemark/contract';
import { KIND } from '@tidemark/model';
import type { PlannedPart } from './column-plan.ts';
import type { EpochRoutes } from './epoch-routes.ts';
import type { RawBatch } from './raw-batch.ts';
import type { SeriesTable } from './series-table.ts';

/** A batch's encoded shares, by partition, and their points. */
export interface RoutedBatch {
  readonly shares: Share[];
  /** The ref after the last one in each share, by partition. */
  readonly refs: ReadonlyMap<number, number>;
  /** Points of equal series and timestamp are one. */
  readonly points: number;
}

/** Turns raw batches into encoded shares. It reuses its buffers; one is enough for a client session. */
export class BatchRouter {
  readonly #series: SeriesTable;
  readonly #out = new ByteWriter(64 * 1024);
  readonly #layer = new PointColumns(0);
  #times = new Float64Array(0);
  #values = new Float64Array(0);

  constructor(series: SeriesTable) {
    this.#series = series;
  }

  /** Routes a batch; series without a ref get one from `routes`. */
  route(batch: RawBatch, routes: EpochRoutes): RoutedBatch {
    const layer = batch.onlyLayer;
    if (layer?.plan.distinct) {
      const parts = layer.plan.parts(routes);
      const shares = parts.map((part) => this.#layerShare(part, layer.timeMs, layer.values));
      const refs = new Map(parts.map((part) => [part.partition, endOf(part.refs, part.refs.length)]));
      return { shares, refs, points: batch.points };
    }
    return this.#looseShares(batch, routes);
  }

  #layerShare(part: PlannedPart, timeMs: number, from: Float64Array): Share {
    const { refs, gather } = part;
    if (this.#values.length < gather.length) {
      this.#values = new Float64Array(gather.length);
      this.#times = new Float64Array(gather.length);
    }
    const values = this.#values;
    for (let i = 0; i < gather.length; i++) values[i] = from[gather[i]];
    this.#layer.refs = refs;
    this.#layer.timesMs = this.#times.fill(timeMs, 0, gather.length);
    this.#layer.values = values;
    this.#layer.length = gather.length;
    return this.#encode(part.partition, this.#layer, undefined);
  }

  #looseShares(batch: RawBatch, routes: EpochRoutes): RoutedBatch {
    const flat = batch.flatPoints();
    const { sketches } = batch;
    routes.assign(flat.refs, flat.length);
    routes.assign(sketches.refs, sketches.length);
    const parts = new Map<number, { points: PointColumns; sketches: SketchColumns }>();
    for (let i = 0; i < flat.length; i++) {
      const number = flat.refs[i];
      partAt(parts, routes.partitionOf(number)).points.push(routes.refOf(number), flat.timesMs[i], flat.values[i]);
    }
    for (let i = 0; i < sketches.length; i++) {
      const number = sketches.refs[i];
      const part = partAt(parts, routes.partitionOf(number));
      part.sketches.push(routes.refOf(number), sketches.timesMs[i], sketches.payloads[i]);
    }
    let all = sketches.length;
    const refs = new Map<number, number>();
    const shares = [...parts]
      .sort(([a], [b]) => a - b)
      .map(([partition, part]) => {
        const table = routes.tables.get(partition) ?? [];
        const points = orderPoints(part.points, (ref) => this.#series.get(table[ref]).kind === KIND.count);
        const ordered = part.sketches.length > 0 ? orderSketches(part.sketches) : part.sketches;
        all += points.length;
        refs.set(partition, Math.max(endOf(points.refs, points.length), endOf(ordered.refs, ordered.length)));
        return this.#encode(partition, points, ordered.length > 0 ? ordered : undefined);
      });
    return { shares, refs, points: all };
  }

  #encode(partition: number, points: PointColumns, sketches: SketchColumns | undefined): Share {
    encodeShare(points, sketches, this.#out);
    return { partition, points: this.#out.take() };
  }
}

/** The ref after the last of refs in their order. */
function endOf(refs: Uint32Array, length: number): number {
  return length === 0 ? 0 : refs[length - 1] + 1;
}

function partAt(
  parts: Map<number, { points: PointColumns; sketches: SketchColumns }>,
  partition: number,
): { points: PointColumns; sketches: SketchColumns } {
  let part = parts.get(partition);
  if (part === undefined) {
    part = { points: new PointColumns(), sketches: new SketchColumns() };
    parts.set(partition, part);
  }
  return part;
}
