import type { PositionsReader } from '@tidemark/store-rpc';
import type { StoreProcess } from './store-process.ts';

const NONE: readonly never[] = [];

/** The processes that own a partition, or should: read for every request, and changed only by moves. */
export class ReplicaIndex<Process extends StoreProcess<PositionsReader>> {
  readonly #processes: readonly Process[];
  #byPartition: Map<number, Process[]> | undefined;

  constructor(processes: readonly Process[]) {
    this.#processes = processes;
  }

  /** Returns the processes of a partition, in the order in which they were given. */
  of(partition: number): readonly Process[] {
    this.#byPartition ??= this.#build();
    return this.#byPartition.get(partition) ?? NONE;
  }

  /** Clears the index, because a process has other partitions than before. */
  clear(): void {
    this.#byPartition = undefined;
  }

  #build(): Map<number, Process[]> {
    const byPartition = new Map<number, Process[]>();
    for (const process of this.#processes) {
      for (const partition of process.owned) {
        const own = byPartition.get(partition);
        if (own === undefined) byPartition.set(partition, [process]);
        else own.push(process);
      }
    }
    return byPartition;
  }
}
