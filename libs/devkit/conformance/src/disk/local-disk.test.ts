import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalDisk } from '@tidemark/node-runtime';
import { diskConformance } from '../index.ts';

diskConformance('local disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-disk-'));
  return { disk: new LocalDisk(folder), close: () => rm(folder, { recursive: true }) };
});
