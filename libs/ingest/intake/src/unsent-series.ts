import type { Rejection } from '@tidemark/contract';
import { budgetKey } from '@tidemark/control-log';
import type { SeriesName } from '@tidemark/model';

/** Budgets of a tenant and of a metric. */
export interface SeriesLimits {
  readonly tenantSeries: number;
  readonly metricSeries: number;
}

type Named = Pick<SeriesName, 'tenant' | 'metric'>;

/**
 * Number of series that clients of this intake have defined and not sent, by tenant and metric. Tag stores count only
 * those that were sent, but lanes define them all.
 */
export class UnsentSeries {
  readonly #limits: SeriesLimits;
  readonly #counts = new Map<string, number>();

  constructor(limits: SeriesLimits) {
    this.#limits = limits;
  }

  /** Counts a series. Returns why it is not counted: those of its tenant or metric alone use up a budget. */
  add({ tenant, metric }: Named): Rejection | undefined {
    const { tenantSeries, metricSeries } = this.#limits;
    const ofMetric = budgetKey(tenant, metric);
    if (this.#of(ofMetric) >= metricSeries) return rejection(`metric ${metric}`, 'budgets.metricSeries', metricSeries);
    if (this.#of(tenant) >= tenantSeries) return rejection(`tenant ${tenant}`, 'budgets.tenantSeries', tenantSeries);
    for (const key of [tenant, ofMetric]) this.#counts.set(key, this.#of(key) + 1);
    return undefined;
  }

  /** A series that was counted was sent, refused, or its client has left. */
  remove({ tenant, metric }: Named): void {
    for (const key of [tenant, budgetKey(tenant, metric)]) {
      const count = this.#of(key) - 1;
      if (count > 0) this.#counts.set(key, count);
      else this.#counts.delete(key);
    }
  }

  /** Number of tenants and metrics with such series. */
  get size(): number {
    return this.#counts.size;
  }

  #of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}

function rejection(owner: string, setting: string, budget: number): Rejection {
  const limit = `${setting}, ${budget} series`;
  const message = `${owner} has as many series that were defined and never sent as its budget (limit: ${limit})`;
  return { reason: 'series_over_budget', field: 'series', limit, points: 0, message };
}
