import { TidemarkError } from '@tidemark/ports';

/** A process and the partitions of which it owns a replica. */
export interface PlacedProcess {
  /** `host:port` of its gRPC. */
  readonly address: string;
  readonly partitions: readonly number[];
}

/** The processes of one kind and the partitions that each owns. A partition may have several owners: its replicas. */
export class Placement {
  readonly processes: readonly PlacedProcess[];
  readonly #owners = new Map<number, string[]>();

  constructor(processes: readonly PlacedProcess[]) {
    this.processes = processes;
    for (const { address, partitions } of processes) {
      for (const partition of partitions) {
        const owners = this.#owners.get(partition);
        if (owners === undefined) this.#owners.set(partition, [address]);
        else owners.push(address);
      }
    }
  }

  /** Addresses of the partition's replicas, in the order of the settings; none when no process owns it. */
  ownersOf(partition: number): readonly string[] {
    return this.#owners.get(partition) ?? [];
  }

  /**
   * Throws `failed_precondition` when one of the first `partitions` has no owner: its data would be missing from every
   * answer.
   */
  requireOwners(partitions: number, field: string): void {
    for (let partition = 0; partition < partitions; partition++) {
      if (this.#owners.has(partition)) continue;
      throw new TidemarkError(
        'failed_precondition',
        `${field}: partition ${partition} has no owner (limit: each of 0 to ${partitions - 1} has one)`,
        { field, partition },
      );
    }
  }
}
