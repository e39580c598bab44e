import { MemoryBudget } from './memory-budget.ts';
import { beyondLimit, type QueryServiceLimits } from './query-service-limits.ts';

interface RunningQueries {
  running: number;
  readonly memory: MemoryBudget;
}

/** Bounds the running queries of each tenant and their memory, so that no tenant slows another by their number. */
export class TenantGate {
  readonly #limits: QueryServiceLimits;
  readonly #memory: MemoryBudget;
  readonly #tenants = new Map<string, RunningQueries>();

  constructor(limits: QueryServiceLimits) {
    this.#limits = limits;
    this.#memory = new MemoryBudget(limits, 'processMemoryBytes');
  }

  /** Memory of the queries that are running, bytes. */
  get memoryBytes(): number {
    return this.#memory.taken;
  }

  /**
   * Runs `task` as a query of the tenant, with the memory that it may use. Error: `resource_exhausted`, at once, when too
   * many are running.
   */
  async run<T>(tenant: string, task: (memory: MemoryBudget) => Promise<T>): Promise<T> {
    const queries = this.#tenants.get(tenant) ?? {
      running: 0,
      memory: new MemoryBudget(this.#limits, 'tenantMemoryBytes', this.#memory),
    };
    if (queries.running >= this.#limits.concurrentQueries) {
      throw beyondLimit(
        this.#limits,
        'concurrentQueries',
        `${queries.running} queries of the tenant are running`,
        'wait until one ends',
      );
    }
    queries.running++;
    this.#tenants.set(tenant, queries);
    const memory = new MemoryBudget(this.#limits, 'memoryBytes', queries.memory);
    try {
      return await task(memory);
    } finally {
      memory.close();
      queries.running--;
      if (queries.running === 0) this.#tenants.delete(tenant);
    }
  }
}
