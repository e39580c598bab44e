import { expect, test } from '@jest/globals';
import { budgetKey } from '@tidemark/control-log';
import { KIND, metricId, seriesId, seriesName } from '@tidemark/model';
import { ClientDictionary } from './client-dictionary.ts';
import { SeriesBudgets } from './series-budgets.ts';

const NAMES = ['a:1', 'a:2'].map((tag) => seriesName('t', 'm', KIND.gauge, [tag]));

function budgets(overBudget: ReadonlyMap<string, number>, knownSeries = async () => [true, false]) {
  const dictionary = new ClientDictionary(1, 3);
  for (const name of NAMES) {
    dictionary.add({ seriesId: seriesId(name), metricId: metricId('t', 'm'), seriesClass: name.seriesClass }, name);
  }
  const series = NAMES.map((name, ref) => ({ ref, name }));
  const limits = { tenantSeries: 9, metricSeries: 9 };
  return { one: new SeriesBudgets({ overBudget: new Map(overBudget) }, knownSeries, limits), dictionary, series };
}

test('a budget is exceeded for all metrics of a tenant, or for one metric', () => {
  const of = (entries: [string, number][]) => budgets(new Map(entries)).one;
  expect(of([]).isExceeded({ tenant: 't', metric: 'm' })).toBe(false);
  expect(of([['t', 1]]).isExceeded({ tenant: 't', metric: 'm' })).toBe(true);
  const metric = of([[budgetKey('t', 'm'), 1]]);
  expect(['m', 'n'].map((name) => metric.isExceeded({ tenant: 't', metric: name }))).toEqual([true, false]);
});

test('series that the platform does not know are refused with the exceeded budget', async () => {
  const metric = budgets(
    new Map([
      ['t', 7],
      [budgetKey('t', 'm'), 1],
    ]),
  );
  expect(await metric.one.refuseNew(metric.dictionary, metric.series)).toMatchObject([
    {
      ref: 1,
      rejection: {
        limit: 'budgets.metricSeries, 1 series',
        message: 'metric m has used up its budget of 1 series (budgets.metricSeries)',
      },
    },
  ]);
  const tenant = budgets(new Map([['t', 7]]));
  expect(await tenant.one.refuseNew(tenant.dictionary, tenant.series)).toMatchObject([
    {
      ref: 1,
      rejection: {
        limit: 'budgets.tenantSeries, 7 series',
        message: 'tenant t has used up its budget of 7 series (budgets.tenantSeries)',
      },
    },
  ]);
});

test('no series need no call to the platform', async () => {
  const { one, dictionary } = budgets(new Map([['t', 1]]), () => Promise.reject(new Error('asked')));
  expect(await one.refuseNew(dictionary, [])).toEqual([]);
});
