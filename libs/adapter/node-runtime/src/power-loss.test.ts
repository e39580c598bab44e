import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { canTraceSyncs, traceSyncs } from '@tidemark/child-process/testing';

const PROGRAM = fileURLToPath(new URL('./testing/use-disk.ts', import.meta.url));

(canTraceSyncs() ? test : test.skip)('what the disk reports as durable is synced, names included', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-power-'));
  try {
    const steps = traceSyncs(folder, [process.execPath, '--no-warnings', PROGRAM, folder]);
    expect(steps.filter(({ step }) => step === 'write')).toEqual([
      { step: 'write', files: [`${folder}/a/b/file`], folders: [] },
    ]);
    const durable = steps.filter(({ step }) => step !== 'write');
    expect(durable.map(({ step }) => step)).toEqual([
      'create',
      'sync',
      'rename',
      'remove',
      'remove folder',
      'small file',
      'small file again',
    ]);
    for (const { step, files, folders } of durable) expect([step, files, folders]).toEqual([step, [], []]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
