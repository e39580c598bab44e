import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectStoreConformance } from '@tidemark/conformance';
import type { ObjectStore } from '@tidemark/ports';
import { openLocalObjects } from './index.ts';

objectStoreConformance('folder on the local disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-objects-'));
  const opened: ObjectStore[] = [];
  return {
    async open() {
      const store = openLocalObjects(folder);
      opened.push(store);
      return store;
    },
    async dispose() {
      for (const store of opened) await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
