import type { FrameMemory } from '@tidemark/query-language';
import { beyondLimit, type MemoryLimit, type QueryServiceLimits } from './query-service-limits.ts';

const OWNERS: Readonly<Record<MemoryLimit, { readonly name: string; readonly advice: string }>> = {
  memoryBytes: { name: 'the query', advice: 'ask for a shorter range, longer steps, or fewer groups' },
  tenantMemoryBytes: { name: 'the queries of the tenant', advice: 'retry when fewer are running' },
  processMemoryBytes: { name: 'the queries of this process', advice: 'retry when fewer are running' },
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
      const { name, advice } = OWNERS[this.#name];
      throw beyondLimit(this.#limits, this.#name, `${name} would use ${Math.ceil(wanted)} bytes of memory`, advice);
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
