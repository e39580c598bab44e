import { expect, test } from '@jest/globals';
import { FaultPlan } from './fault-plan.ts';
import { Incarnation } from './incarnation.ts';
import { ManualClock } from './manual-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedObjectStore } from './simulated-object-store.ts';

test('a list in progress may have an object that is put or deleted meanwhile, or not', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const store = new SimulatedObjectStore({ clock: new ManualClock(), random: new SeededRandom(seed) });
    store.poke('a/stays.x', Buffer.of());
    store.poke('a/goes.x', Buffer.of());
    const end = store.beginList('a/', '');
    store.delete(['a/goes.x']);
    store.poke('a/new.x', Buffer.of());
    store.delete(['a/new.x']);
    const keys = [...end().keys()].sort();
    expect(keys).toContain('a/stays.x');
    seen.add(keys.join());
  }
  expect(seen.size).toBe(4);
});

test('faults refuse a put, or lose its reply; a write that was sent may be applied after the end of its process', async () => {
  const clock = new SimulatedClock();
  const random = new SeededRandom(3);
  const faults = new FaultPlan(random, { 'objects.unavailable': 0.4, 'objects.lost-reply': 0.4 });
  const store = new SimulatedObjectStore({ clock, random, faults });
  const process = new Incarnation('a');
  const outcomes = new Set<string>();
  for (let i = 0; i < 40; i++) {
    let outcome: string | undefined;
    const settled = store
      .bind(process)
      .put(`${i}.x`, Buffer.of(1))
      .then(
        () => 'stored',
        () => 'unavailable',
      );
    void settled.then((one) => {
      outcome = one;
    });
    await clock.run(() => outcome !== undefined, 1000);
    outcomes.add(`${outcome} ${store.peek(`${i}.x`) !== undefined}`);
  }
  expect([...outcomes].sort()).toEqual(['stored true', 'unavailable false', 'unavailable true']);
  faults.stop();
  const applied = new Set<boolean>();
  for (let i = 0; i < 20; i++) {
    const killed = new Incarnation('b', i);
    void store.bind(killed).put(`killed-${i}.x`, Buffer.of(1));
    killed.end();
    await clock.advance(10);
    applied.add(store.peek(`killed-${i}.x`) !== undefined);
  }
  expect(applied.size).toBe(2);
});
