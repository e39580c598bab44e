import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { canTraceSyncs, traceSyncs } from '@tidemark/child-process/testing';

const PROGRAM = fileURLToPath(new URL('./testing/write-synced.ts', import.meta.url));

(canTraceSyncs() ? test : test.skip)(
  'the write-ahead log of a resolved write is synced, also when it begins another file, and so are the tables of a flush',
  async () => {
    const parent = await mkdtemp(join(tmpdir(), 'tidemark-power-'));
    const folder = join(parent, 'db');
    try {
      const steps = traceSyncs(folder, [process.execPath, '--no-warnings', PROGRAM, folder]);
      const writes = Array.from({ length: 12 }, (_, i) => String(i));
      expect(steps.map(({ step }) => step)).toEqual([...writes.slice(0, 6), 'flushed', ...writes.slice(6)]);
      for (const { step, files } of steps) {
        // RocksDB syncs tables and its manifest before it removes the write-ahead files that they replace.
        const needed = files.filter((path) => path.endsWith('.log'));
        expect([step, needed]).toEqual([step, []]);
      }
      // After a flush nothing but the tables and the manifest is needed.
      const flushed = steps.find(({ step }) => step === 'flushed')?.files ?? ['none'];
      expect(flushed.filter((path) => /\.sst$|MANIFEST/.test(path))).toEqual([]);
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  },
);
