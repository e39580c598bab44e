import type { EpochRoutes } from './epoch-routes.ts';

/** The part of a list of series that one partition gets under one map: refs ascending, and each value's index in the list. */
export interface PlannedPart {
  readonly partition: number;
  readonly refs: Uint32Array<ArrayBuffer>;
  readonly gather: Uint32Array<ArrayBuffer>;
}

/**
 * A fixed list of series that are recorded together, one value each at one time. Refs and partitions are looked up and
 * sorted once a map epoch; a batch is then only gathered.
 */
export class ColumnPlan {
  /** Series numbers, in the caller's order. */
  readonly numbers: Uint32Array<ArrayBuffer>;
  /** False when a series is in the list twice. */
  readonly distinct: boolean;
  /** When it was last used, monotonic ms; `SeriesNumbers` sets it. */
  usedMs = 0;
  #routes: EpochRoutes | undefined;
  #parts: readonly PlannedPart[] = [];

  constructor(numbers: Uint32Array<ArrayBuffer>) {
    this.numbers = numbers;
    this.distinct = new Set(numbers).size === numbers.length;
  }

  /** The parts under `routes`; series without a ref get one. */
  parts(routes: EpochRoutes): readonly PlannedPart[] {
    if (this.#routes === routes) return this.#parts;
    const { numbers } = this;
    routes.assign(numbers, numbers.length);
    const byPartition = new Map<number, number[]>();
    for (let i = 0; i < numbers.length; i++) {
      const partition = routes.partitionOf(numbers[i]);
      const list = byPartition.get(partition);
      if (list === undefined) byPartition.set(partition, [i]);
      else list.push(i);
    }
    this.#parts = [...byPartition]
      .sort(([a], [b]) => a - b)
      .map(([partition, list]) => {
        const gather = Uint32Array.from(list.sort((a, b) => routes.refOf(numbers[a]) - routes.refOf(numbers[b])));
        return { partition, refs: gather.map((i) => routes.refOf(numbers[i])), gather };
      });
    this.#routes = routes;
    return this.#parts;
  }
}
