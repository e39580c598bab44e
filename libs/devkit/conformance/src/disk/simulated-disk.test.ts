import { SystemClock } from '@tidemark/node-runtime';
import { Incarnation, SeededRandom, SimulatedDisk } from '@tidemark/simulation';
import { diskConformance } from '../index.ts';

diskConformance('simulated disk', async () => {
  const disk = new SimulatedDisk({ clock: new SystemClock(), random: new SeededRandom(1), maxLatencyMs: 0 });
  return { disk: disk.bind(new Incarnation('only')), close: async () => undefined };
});
