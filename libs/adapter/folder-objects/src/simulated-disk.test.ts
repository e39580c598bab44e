import { objectStoreConformance } from '@tidemark/conformance';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { Incarnation, SeededRandom, SimulatedDisk } from '@tidemark/simulation';
import { FolderObjects } from './index.ts';
import { SimulatedLocks } from './testing/simulated-locks.ts';

objectStoreConformance('folder on a simulated disk', async () => {
  const clock = new SystemClock();
  const disk = new SimulatedDisk({ clock, random: new SeededRandom(1), maxLatencyMs: 0 });
  const process = new Incarnation('objects', 0);
  const locks = new SimulatedLocks();
  return {
    open: async () => new FolderObjects({ disk: disk.bind(process), locks, clock, random: new SystemRandom() }),
    dispose: async () => process.end(),
  };
});
