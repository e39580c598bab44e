import { diskConformance } from '@tidemark/conformance';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';

diskConformance('crash disk', async () => ({
  disk: new CrashDisk(new SeededRandom(1), { failedWrite: 0, failedSync: 0 }),
  close: async () => undefined,
}));
