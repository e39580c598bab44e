import { metricId, type PartitionMap, partitionOf, tagsKey } from '@tidemark/model';
import { assert } from '@tidemark/ports';
import type { SeriesTable } from './series-table.ts';

const UNASSIGNED = -1;

/** Refs of one partition that a client session gave out together. */
export interface RefRange {
  readonly epoch: number;
  readonly partition: number;
  readonly firstRef: number;
  /** Series numbers, in ref order. */
  readonly numbers: readonly number[];
}

/**
 * The routes of one client session under one map epoch: each series' partition and its ref there. Refs are dense per
 * partition and never change.
 */
export class EpochRoutes {
  readonly epoch: number;
  /** Series numbers by ref, by partition. */
  readonly tables = new Map<number, number[]>();
  /** Batches stamped under this epoch that are not settled. */
  unsettled = 0;
  readonly #series: SeriesTable;
  #map: PartitionMap | undefined;
  #tenant = '';
  #partitions = new Int32Array(0);
  #refs = new Uint32Array(0);
  readonly #partitionOfMetric = new Map<string, number>();

  constructor(epoch: number, series: SeriesTable) {
    this.epoch = epoch;
    this.#series = series;
  }

  /** Series can be assigned once the map and the tenant are known; old epochs of a replay never need them. */
  useMap(map: PartitionMap, tenant: string): void {
    assert(map.epoch === this.epoch, `map ${map.epoch} for the routes of epoch ${this.epoch}`);
    this.#map = map;
    this.#tenant = tenant;
  }

  partitionOf(number: number): number {
    return this.#partitions[number];
  }

  refOf(number: number): number {
    return this.#refs[number];
  }

  /** Returns the ref that a series had before a change of its interval, if it had one. */
  refBefore(number: number): number | undefined {
    let previous = this.#series.previousOf(number);
    while (previous !== undefined && !this.isAssigned(previous)) previous = this.#series.previousOf(previous);
    return previous === undefined ? undefined : this.#refs[previous];
  }

  /** True when a series has a ref. */
  isAssigned(number: number): boolean {
    return number < this.#partitions.length && this.#partitions[number] !== UNASSIGNED;
  }

  /**
   * Gives refs to those of the first `length` numbers that have none, ordered by metric, then tags: alike series become
   * neighbours, whose values compress better.
   */
  assign(numbers: Uint32Array, length: number): void {
    this.#cover(this.#series.length);
    const fresh = new Set<number>();
    for (let i = 0; i < length; i++) if (this.#partitions[numbers[i]] === UNASSIGNED) fresh.add(numbers[i]);
    if (fresh.size === 0) return;
    const keyed = [...fresh].map((number) => ({ number, key: sortKey(this.#series, number) }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    for (const { number } of keyed) this.#give(this.#partitionOfSeries(number), number);
  }

  /** Takes over a range from a spool. False when refs before it are missing: they can't be defined any more. */
  restore(range: RefRange): boolean {
    const known = this.tables.get(range.partition)?.length ?? 0;
    if (range.firstRef > known) return false;
    this.#cover(this.#series.length);
    for (const number of range.numbers.slice(known - range.firstRef)) this.#give(range.partition, number);
    return true;
  }

  #give(partition: number, number: number): void {
    let table = this.tables.get(partition);
    if (table === undefined) {
      table = [];
      this.tables.set(partition, table);
    }
    this.#partitions[number] = partition;
    this.#refs[number] = table.push(number) - 1;
  }

  #partitionOfSeries(number: number): number {
    assert(this.#map !== undefined, 'series are assigned under a known map');
    const { metric } = this.#series.get(number);
    let partition = this.#partitionOfMetric.get(metric);
    if (partition === undefined) {
      partition = partitionOf(this.#map, metricId(this.#tenant, metric));
      this.#partitionOfMetric.set(metric, partition);
    }
    return partition;
  }

  #cover(series: number): void {
    const before = this.#partitions.length;
    if (series <= before) return;
    const partitions = new Int32Array(Math.max(series, before * 2)).fill(UNASSIGNED);
    partitions.set(this.#partitions);
    const refs = new Uint32Array(partitions.length);
    refs.set(this.#refs);
    this.#partitions = partitions;
    this.#refs = refs;
  }
}

function sortKey(series: SeriesTable, number: number): string {
  const { metric, kind, tags } = series.get(number);
  return `${metric}\0${kind}\0${tagsKey(tags)}`;
}
