import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { TestBed } from './process/test-bed.ts';

const bed = new TestBed();
afterEach(() => bed.clear());

test.each(['grpcPort', 'httpPort'])(
  '%s in use is named, and the folder stays free for the next start',
  async (setting) => {
    const folder = await bed.folder();
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    bed.onClear(async () => other.close());
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(bed.platform({ folder, [setting]: port })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use`)),
    });
    const platform = await bed.platform({ folder });
    await platform.stop();
  },
);

test('without a key nothing but loopback may listen', async () => {
  const folder = await bed.folder();
  await expect(bed.platform({ folder, host: '0.0.0.0' })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/no key/),
  });
});
