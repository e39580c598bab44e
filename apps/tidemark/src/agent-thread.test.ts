import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { parseSettings } from '@tidemark/settings';
import { AgentThread } from './agent-thread.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(flags: Readonly<Record<string, string>> = {}) {
  const spoolFolder = await mkdtemp(join(tmpdir(), 'tidemark-agent-thread-'));
  ends.push(() => rm(spoolFolder, { recursive: true, force: true }));
  const settings = parseSettings({ flags: { 'dogstatsd-port': '0', 'agent-flush-interval-ms': '100', ...flags } });
  const problems: string[] = [];
  const { agent, dogstatsd, statsd, point, scrape, integrations } = settings;
  const thread = await AgentThread.start({
    settings: { agent, dogstatsd, statsd, point, scrape, integrations },
    // No intake listens there: batches stay in the spool.
    place: { addresses: ['127.0.0.1:1'], spoolFolder, hostname: 'web-1', platform: process.platform },
    onProblem: (message) => problems.push(message),
    onFailed: (error) => problems.push(error.message),
  });
  ends.push(() => thread.stop());
  return { thread, problems };
}

test('the agent in its thread receives DogStatsD, and its status is known outside', async () => {
  const { thread, problems } = await start();
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(thread.dogstatsd)?.[1]);
  const socket = createSocket('udp4');
  ends.push(async () => socket.close());
  await new Promise((resolve) => socket.send('a:1|c\nb:2|g', port, '127.0.0.1', resolve));
  const deadlineMs = performance.now() + 30_000;
  while ((thread.status?.dogstatsd?.values ?? 0) < 2) {
    if (performance.now() > deadlineMs) throw new Error(`not within 30 s: ${JSON.stringify(thread.status)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(thread.status).toMatchObject({ running: true, hostname: 'web-1' });
  expect(problems).toEqual([]);
});

test('a start that is refused throws the error of the agent', async () => {
  const targets = JSON.stringify([{ url: 'ftp://localhost/metrics' }]);
  await expect(start({ 'scrape-targets': targets })).rejects.toMatchObject({ code: 'invalid_argument' });
});
