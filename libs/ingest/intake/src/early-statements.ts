import type { MetricStatement } from '@tidemark/model';

/** Max metrics of one tenant, and of all. Beyond, the oldest are forgotten until they are stated again. */
const OF_TENANT = 10_000;
const OF_ALL = 100_000;

/** What senders said of metrics that have no series yet. stated-metrics.test.ts covers it. */
export class EarlyStatements {
  /** By tenant and metric; the metric that was stated longest ago comes first. */
  readonly #tenants = new Map<string, Map<string, MetricStatement>>();
  #size = 0;

  /** Adds fields to those that were said of a metric before. */
  add(tenant: string, metric: string, said: MetricStatement): void {
    let metrics = this.#tenants.get(tenant);
    if (metrics === undefined) {
      metrics = new Map();
      this.#tenants.set(tenant, metrics);
    }
    const before = metrics.get(metric);
    if (before === undefined) {
      if (metrics.size >= OF_TENANT) this.#dropOldest(tenant, metrics);
      else if (this.#size >= OF_ALL) this.#dropOldest(...this.#largest());
      this.#size++;
    }
    // Moves it to the end: the one that was stated longest ago comes first.
    metrics.delete(metric);
    metrics.set(metric, { ...before, ...said });
  }

  /** Returns what was said of a metric, and forgets it. */
  take(tenant: string, metric: string): MetricStatement | undefined {
    const metrics = this.#tenants.get(tenant);
    const said = metrics?.get(metric);
    if (metrics !== undefined && said !== undefined) this.#drop(tenant, metrics, metric);
    return said;
  }

  #largest(): readonly [tenant: string, metrics: Map<string, MetricStatement>] {
    return [...this.#tenants].reduce((most, one) => (one[1].size > most[1].size ? one : most));
  }

  #dropOldest(tenant: string, metrics: Map<string, MetricStatement>): void {
    for (const metric of metrics.keys()) {
      this.#drop(tenant, metrics, metric);
      return;
    }
  }

  #drop(tenant: string, metrics: Map<string, MetricStatement>, metric: string): void {
    metrics.delete(metric);
    this.#size--;
    if (metrics.size === 0) this.#tenants.delete(tenant);
  }
}
