import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { installPacked, pack } from '../tools/packages/install-packed.ts';
import { eventually } from './process/eventually.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterAll(() => harness.clear());

/** Starts an installed program in `folder`, and collects what it prints. */
function start(folder: string, script: string, args: readonly string[]): { child: ChildProcess; output(): string } {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const child = spawn(process.execPath, [join(folder, 'node_modules', script), ...args], { cwd: folder, env });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  harness.onClear(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  });
  return { child, output: () => Buffer.concat(chunks).toString() };
}

async function stop(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await ended;
  return code;
}

test('the packed platform and the packed agent run without the repository: page, contracts, stores, collection', async () => {
  const folder = await harness.folder();
  for (const name of ['tidemark', 'agent']) installPacked(pack(name, folder), folder);
  for (const name of ['tidemark', '@tidemark/agent-app']) {
    expect(readdirSync(join(folder, 'node_modules', name))).toEqual(expect.arrayContaining(['LICENSE', 'NOTICE']));
  }

  const ports = ['--http-port', '0', '--grpc-port', '0', '--no-agent'];
  const platform = start(folder, 'tidemark/apps/tidemark/dist/main.js', [
    'start',
    '--data',
    join(folder, 'data'),
    ...ports,
  ]);
  await eventually('the platform to be up', async () => platform.output().includes('Ctrl-C') || exited(platform));
  const url = /page +(\S+)/.exec(platform.output())?.[1] ?? '';
  const address = /gRPC +(\S+)/.exec(platform.output())?.[1] ?? '';
  const page = await fetch(url);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<title>Tidemark</title>');

  const collect = ['--agent-addresses', address, '--data', join(folder, 'agent-data'), '--dogstatsd-port', '0'];
  const every = ['--agent-flush-interval-ms', '1000', '--agent-status-port', '0'];
  const agent = start(folder, '@tidemark/agent-app/apps/agent/dist/main.js', [...collect, ...every]);
  await eventually('a point of the agent to be queryable', async () => {
    exited(agent);
    const seconds = Math.floor(Date.now() / 1000);
    const asked = new URLSearchParams({ from: `${seconds - 60}`, to: `${seconds}`, query: 'avg:system.mem.total{*}' });
    const reply = (await (await fetch(`${url}/api/v1/query?${asked}`)).json()) as { series?: readonly unknown[] };
    return (reply.series?.length ?? 0) > 0;
  });
  expect(await stop(agent.child)).toBe(0);
  expect(await stop(platform.child)).toBe(0);
}, 120_000);

function exited({ child, output }: { child: ChildProcess; output(): string }): false {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output()}`);
  return false;
}
