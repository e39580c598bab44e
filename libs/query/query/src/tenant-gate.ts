import { beyondLimit, type QueryServiceLimits } from './query-service-limits.ts';

/** Bounds the running queries of each tenant, so that no tenant slows another by their number. */
export class TenantGate {
  readonly #limits: QueryServiceLimits;
  readonly #running = new Map<string, number>();

  constructor(limits: QueryServiceLimits) {
    this.#limits = limits;
  }

  /** Runs `task` as a query of the tenant. Error: `resource_exhausted`, at once, when too many are running. */
  async run<T>(tenant: string, task: () => Promise<T>): Promise<T> {
    const running = this.#running.get(tenant) ?? 0;
    if (running >= this.#limits.concurrentQueries) {
      throw beyondLimit(this.#limits, 'concurrentQueries', `${running} queries of the tenant are running`);
    }
    this.#running.set(tenant, running + 1);
    try {
      return await task();
    } finally {
      const left = (this.#running.get(tenant) ?? 1) - 1;
      if (left === 0) this.#running.delete(tenant);
      else this.#running.set(tenant, left);
    }
  }
}
