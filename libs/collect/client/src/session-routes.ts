import type { PartitionMap } from '@tidemark/model';
import { EpochRoutes, type RefRange } from './epoch-routes.ts';
import type { SeriesTable } from './series-table.ts';

/** The routes of one client session, by map epoch: those of the newest map, and of each epoch with unsettled batches. */
export class SessionRoutes {
  readonly #series: SeriesTable;
  readonly #byEpoch = new Map<number, EpochRoutes>();
  #map: PartitionMap | undefined;

  constructor(series: SeriesTable) {
    this.#series = series;
  }

  /** The newest map that an intake announced. */
  get map(): PartitionMap | undefined {
    return this.#map;
  }

  all(): Iterable<EpochRoutes> {
    return this.#byEpoch.values();
  }

  of(epoch: number): EpochRoutes {
    let routes = this.#byEpoch.get(epoch);
    if (routes === undefined) {
      routes = new EpochRoutes(epoch, this.#series);
      this.#byEpoch.set(epoch, routes);
    }
    return routes;
  }

  /** Restores refs from a spool. */
  restore(range: RefRange): void {
    this.of(range.epoch).restore(range);
  }

  /** Uses `map` for the next stamps; a map that is not newer than the one in use is ignored. */
  useMap(map: PartitionMap, tenant: string): void {
    if (this.#map !== undefined && map.epoch <= this.#map.epoch) return;
    this.#map = map;
    this.of(map.epoch).useMap(map, tenant);
    this.#deleteOld();
  }

  /** Counts a batch that was stamped under `epoch`. */
  addBatch(epoch: number): void {
    this.of(epoch).unsettled++;
  }

  /** Counts a batch of `epoch` as settled; the routes of an old epoch are deleted with its last batch. */
  settleBatch(epoch: number): void {
    this.of(epoch).unsettled--;
    this.#deleteOld();
  }

  #deleteOld(): void {
    if (this.#map === undefined) return;
    for (const { epoch, unsettled } of this.#byEpoch.values()) {
      if (unsettled === 0 && epoch < this.#map.epoch) this.#byEpoch.delete(epoch);
    }
  }
}
