import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

test.each(['grpcPort', 'httpPort'])(
  'the refusal names %s when it is in use, and the folder is free for the next start',
  async (setting) => {
    const folder = await harness.folder();
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    harness.onClear(async () => other.close());
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(harness.platform({ folder, [setting]: port })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use`)),
    });
    const platform = await harness.platform({ folder });
    await platform.stop();
  },
);

test('the platform listens only on loopback while no key exists', async () => {
  const folder = await harness.folder();
  await expect(harness.platform({ folder, host: '0.0.0.0' })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/no key/),
  });
});
