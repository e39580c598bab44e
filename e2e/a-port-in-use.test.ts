import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** A program that is not Tidemark and has a port. */
async function otherProgram(): Promise<number> {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  harness.onClear(async () => other.close());
  const address = other.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test.each(['grpcPort', 'httpPort'])(
  'the refusal names %s when it is in use; nothing is created, and the next start gets the folder',
  async (setting) => {
    const parent = await harness.folder();
    const folder = join(parent, 'data');
    const port = await otherProgram();
    await expect(harness.platform({ folder, [setting]: port })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use`)),
    });
    expect(await readdir(parent)).toEqual([]);
    const platform = await harness.platform({ folder });
    await platform.stop();
  },
);

test('a second start of the same platform names the process that has its folder, and not its port', async () => {
  const folder = await harness.folder();
  const { httpPort } = await harness.platform({ folder });
  await expect(harness.platform({ folder, httpPort })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('is in use by process'),
  });
});

test('the platform listens only on loopback while no key exists', async () => {
  const folder = await harness.folder();
  await expect(harness.platform({ folder, host: '0.0.0.0' })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/no key/),
  });
});
