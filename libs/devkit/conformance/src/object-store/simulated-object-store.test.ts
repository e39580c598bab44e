import { SystemClock } from '@tidemark/node-runtime';
import { Incarnation, SeededRandom, SimulatedObjectStore } from '@tidemark/simulation';
import { objectStoreConformance } from './object-store-conformance.ts';

objectStoreConformance('simulated', async () => {
  const store = new SimulatedObjectStore({ clock: new SystemClock(), random: new SeededRandom(1), maxLatencyMs: 0 });
  const process = new Incarnation('objects');
  return { open: async () => store.bind(process), dispose: async () => process.end() };
});
