import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';

const TEST_MS = 60_000;
let folder: string | undefined;
afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test(
  'a program ends when the shell that npm started it with gets SIGTERM',
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-bootstrap-'));
    const start = `start --no-agent --http-port 0 --grpc-port 0 --data ${join(folder, 'data')}`;
    // With a second command the shell stays the parent, as that of npm does.
    const shell = spawn('sh', ['-c', `node tools/bootstrap.mjs ${start}; true`], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes));
    while (!output.includes('Ctrl-C stops it')) await once(shell.stdout, 'data');
    // The output closes once no process has it any more.
    const closed = once(shell.stdout, 'close');
    shell.kill('SIGTERM');
    await closed;
    expect(output).toContain('stopped');
    expect(output).not.toContain('stopped at once');
  },
  TEST_MS,
);
