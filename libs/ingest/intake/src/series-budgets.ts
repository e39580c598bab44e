import type { Rejection } from '@tidemark/contract';
import { budgetKey, type ControlState } from '@tidemark/control-log';
import type { SeriesName } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import type { ClientDictionary } from './client-dictionary.ts';
import { type SeriesLimits, UnsentSeries } from './unsent-series.ts';

/** Returns which of these series the platform has already. */
export type FindKnownSeries = (partition: number, tenant: string, ids: readonly Uint8Array[]) => Promise<boolean[]>;

/** Refuses new series of tenants and metrics that have used up their budget, as `control` has it. */
export class SeriesBudgets {
  readonly #state: Pick<ControlState, 'overBudget'>;
  readonly #findKnownSeries: FindKnownSeries;

  /** Series that were defined and not sent. They count like those that were. */
  readonly unsent: UnsentSeries;

  constructor(state: Pick<ControlState, 'overBudget'>, knownSeries: FindKnownSeries, limits: SeriesLimits) {
    this.unsent = new UnsentSeries(limits);
    this.#state = state;
    this.#findKnownSeries = knownSeries;
  }

  isExceeded({ tenant, metric }: Pick<SeriesName, 'tenant' | 'metric'>): boolean {
    const { overBudget } = this.#state;
    return overBudget.size > 0 && (overBudget.has(tenant) || overBudget.has(budgetKey(tenant, metric)));
  }

  /** Throws `resource_exhausted` while the tenant is over its budget: a metric without series counts as one series. */
  checkMetric(tenant: string, metric: string): void {
    const limit = this.#state.overBudget.get(tenant);
    if (limit === undefined) return;
    const detail = { reason: 'series_over_budget', field: 'metric', limit: `budgets.tenantSeries, ${limit} series` };
    const message = `metric ${metric}: no series of it is known, and tenant ${tenant} has used up its budget (limit: budgets.tenantSeries, ${limit} series)`;
    throw new TidemarkError('resource_exhausted', message, detail);
  }

  /**
   * Refuses the series over budget that are new to the platform. All of them must be of one tenant and in the
   * dictionary. Rejects when the platform cannot be asked.
   */
  async refuseNew(
    dictionary: ClientDictionary,
    series: readonly { ref: number; name: SeriesName }[],
  ): Promise<{ ref: number; rejection: Rejection }[]> {
    if (series.length === 0) return [];
    const ids = series.map(({ ref }) => dictionary.seriesId(ref));
    const known = await this.#findKnownSeries(dictionary.partition, series[0].name.tenant, ids);
    return series.flatMap(({ ref, name }, i) => (known[i] ? [] : [{ ref, rejection: this.#rejection(name) }]));
  }

  #rejection({ tenant, metric }: SeriesName): Rejection {
    const { overBudget } = this.#state;
    const ofMetric = overBudget.get(budgetKey(tenant, metric));
    const setting = ofMetric === undefined ? 'tenantSeries' : 'metricSeries';
    const budget = `${ofMetric ?? overBudget.get(tenant) ?? 0} series`;
    const limit = `budgets.${setting}, ${budget}`;
    const owner = ofMetric === undefined ? `tenant ${tenant}` : `metric ${metric}`;
    const message = `${owner} has used up its budget of ${budget} (budgets.${setting})`;
    return { reason: 'series_over_budget', field: 'series', limit, points: 0, message };
  }
}
