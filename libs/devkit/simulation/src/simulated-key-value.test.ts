import { expect, test } from '@jest/globals';
import { keyValueConformance } from '@tidemark/conformance';
import { FaultPlan } from './fault-plan.ts';
import { Incarnation } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedKeyValue } from './simulated-key-value.ts';

keyValueConformance('simulated', async () => {
  const clock = new SimulatedClock();
  const stores = new SimulatedKeyValue({ clock, random: new SeededRandom('conformance') });
  let process = new Incarnation('a');
  let over = false;
  const passing = (async () => {
    while (!over) await clock.advance(1);
  })();
  return {
    open: (name) => stores.bind(process)(name),
    async crash() {
      process.end();
      process = new Incarnation('a');
    },
    async dispose() {
      over = true;
      await passing;
    },
  };
});

test('a failed batch is not applied, one that is not synced is, and each fault is counted', async () => {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const faults = new FaultPlan(random, {
    ...{ 'key-value.full': 0.3, 'key-value.write-error': 0.3, 'key-value.sync-error': 0.3, 'key-value.slow': 0.3 },
  });
  const open = new SimulatedKeyValue({ clock, random, faults }).bind(new Incarnation('a'));
  let expected = 0;
  let done = false;
  const writing = async () => {
    const store = await open('a');
    for (let i = 1; i <= 50; i++) {
      const outcome = await store
        .write([{ key: Uint8Array.of(1), value: Uint8Array.of(i) }])
        .catch(({ code, message }) => (message.endsWith('failed to sync') ? undefined : code));
      if (outcome === undefined) expected = i;
      else expect(['resource_exhausted', 'unavailable']).toContain(outcome);
      expect((await store.get(Uint8Array.of(1)))?.[0] ?? 0).toBe(expected);
    }
    done = true;
  };
  const finished = writing();
  await clock.run(() => done, 60_000);
  await finished;
  for (const count of Object.values(faults.counts())) expect(count.fired).toBeGreaterThan(0);
});
