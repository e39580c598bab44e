import { expect, test } from '@jest/globals';
import { describeFault, planOf } from './plan.ts';
import { PART_KINDS, POPULATION } from './settings.ts';

test('the plan of every seed has every fault for every kind of part', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const plan = planOf(seed);
    const done = new Set(plan.map(({ kind, deed }) => `${deed} ${kind}`));
    for (const kind of PART_KINDS) {
      expect(done).toContain(`kill ${kind}`);
      expect(done).toContain(`freeze ${kind}`);
      if (kind !== 'client') expect(done).toContain(`cut ${kind}`);
      if (kind !== 'client' && kind !== 'broker') expect(done).toContain(`cut-log ${kind}`);
    }
    expect(done).toContain('fill-disk broker');
    for (const { kind, index } of plan) expect(index).toBeLessThan(POPULATION[kind]);
  }
});

test('equal seeds have equal plans, and different seeds different plans', () => {
  expect(planOf(7)).toEqual(planOf(7));
  expect(planOf(7).map(describeFault)).not.toEqual(planOf(8).map(describeFault));
});

test('a few seeds reach every part and every mode of a link', () => {
  const plans = Array.from({ length: 40 }, (_, seed) => planOf(seed)).flat();
  const reached = new Set(plans.map(({ kind, index }) => `${kind} ${index}`));
  expect(reached.size).toBe(Object.values<number>(POPULATION).reduce((sum, count) => sum + count, 0));
  const cuts = plans.filter(({ deed }) => deed === 'cut');
  expect(new Set(cuts.map(({ mode }) => mode))).toEqual(new Set(['cut', 'stalled', 'mute']));
  expect(new Set(cuts.map(({ side }) => side))).toEqual(new Set(['all', 'clients', 'brokers']));
});
