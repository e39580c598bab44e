import type { FrameMemory } from '@tidemark/query-language';
import { beyondLimit, type MemoryLimit, type QueryServiceLimits } from './query-service-limits.ts';

const MIB = 2 ** 20;

const OWNERS: Readonly<Record<MemoryLimit, string>> = {
  memoryBytes: 'the query',
  tenantMemoryBytes: 'the queries of the tenant',
  processMemoryBytes: 'the queries of this process',
};

/** Memory that is taken from a limit, and from the budget above it: of a query, of its tenant, of the process. */
export class MemoryBudget implements FrameMemory {
  readonly #limits: QueryServiceLimits;
  readonly #name: MemoryLimit;
  readonly #above: MemoryBudget | undefined;
  #taken = 0;

  constructor(limits: QueryServiceLimits, name: MemoryLimit, above?: MemoryBudget) {
    this.#limits = limits;
    this.#name = name;
    this.#above = above;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes memory before it is used. Throws `resource_exhausted` with the limit that would be exceeded. */
  take(bytes: number): void {
    const wanted = this.#taken + bytes;
    if (wanted > this.#limits[this.#name]) {
      throw beyondLimit(this.#limits, this.#name, `${OWNERS[this.#name]} would use ${Math.ceil(wanted / MIB)} MiB`);
    }
    this.#above?.take(bytes);
    this.#taken = wanted;
  }

  release(bytes: number): void {
    this.#taken -= bytes;
    this.#above?.release(bytes);
  }

  /** Releases all that is still taken. */
  close(): void {
    this.release(this.#taken);
  }
}
