import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** A whole program. No intake listens at its address. */
const PROGRAM = `
import { connect } from '@tidemark/client';
const client = await connect({ address: '127.0.0.1:1', name: 'short', closeTimeoutMs: 300 });
client.gauge('queue.depth', 12, ['queue:mail']);
await client.close();
console.log(JSON.stringify(client.stats().droppedPoints + client.stats().indeterminatePoints));
`;

test('a program that closes while the platform is unreachable ends after the timeout, with its losses counted', async () => {
  const flags = ['--no-warnings', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: import.meta.dirname });
  expect(JSON.parse(stdout)).toBe(1);
});
