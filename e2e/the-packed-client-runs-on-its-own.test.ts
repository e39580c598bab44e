import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { installPacked, link, pack } from '../tools/packages/install-packed.ts';
import { oldestNode } from '../tools/packages/oldest-node.ts';
import { TestHarness } from './process/test-harness.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const node = oldestNode();

const harness = new TestHarness();
let project: string;

beforeAll(async () => {
  project = await harness.folder();
  installPacked(pack('client', project), project);
}, 60_000);
afterAll(() => harness.clear());

/** Reads the example of the client library in README.md, with the address of a platform. */
async function snippet(address: string): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const found = [...readme.matchAll(/```js check\n([\s\S]*?)```/g)].find(([, code]) =>
    code.includes('@tidemark/client'),
  );
  if (found === undefined) throw new Error('README.md has no snippet of the client library');
  expect(found[1]).toContain('127.0.0.1:4271');
  return found[1].replace('127.0.0.1:4271', address);
}

/** Converts a program to a CommonJS module, without `import` and `await` at its top level. */
function asCommonJs(code: string): string {
  const required = code.replace(/^import (\{.*?\}) from ('.*?');$/m, 'const $1 = require($2);');
  expect(required).toContain('require(');
  return `(async () => {\n${required}})();\n`;
}

test(`the snippet of README.md runs on Node ${node.version} as ESM and as CommonJS`, async () => {
  const platform = await harness.platform();
  const code = await snippet(platform.grpcAddress);
  await writeFile(join(project, 'example.mjs'), code);
  await writeFile(join(project, 'example.cjs'), asCommonJs(code));
  const fromMs = Date.now() - 60_000;
  await run(node.path, ['example.mjs'], { cwd: project });
  await run(node.path, ['example.cjs'], { cwd: project });
  // An amount belongs to the interval that begins with it, so the range ends behind that of the last flush.
  const toMs = Math.floor(Date.now() / 1000) * 1000 + 3000;
  const { series } = await platform.queryComplete('count:order.latency{env:prod}', fromMs, toMs);
  expect(series).toHaveLength(1);
  expect(series[0].values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0)).toBe(2);
});

test('the declarations pass tsc --strict in a project of its own, in ESM and in CommonJS', async () => {
  const folder = join(project, 'types');
  await mkdir(folder);
  link('@types/node', join(project, 'node_modules'));
  const use = `
const options: ConnectOptions = { name: 'checkout', address: ['127.0.0.1:4271'], onRejection: (why: ClientRejection) => void why.points };
export async function use(): Promise<ClientStats> {
  const client: Client = await connect(options);
  const handle: SeriesHandle = client.series('queue.depth', 'gauge', ['queue:mail']);
  handle.record(12);
  client.recordColumns([handle], Date.now(), new Float64Array([1]));
  // @ts-expect-error: the kinds are a closed set.
  client.series('queue.depth', 'guage');
  // @ts-expect-error: ports are not part of the package's interface.
  Client.open;
  if (isTidemarkError(client.lastError, 'unavailable')) throw client.lastError;
  await client.close();
  return client.stats();
}
`;
  const names =
    'Client, type ClientRejection, type ClientStats, type ConnectOptions, connect, isTidemarkError, type SeriesHandle';
  for (const name of ['use.mts', 'use.cts']) {
    await writeFile(join(folder, name), `import { ${names} } from '@tidemark/client';\n${use}`);
  }
  for (const module of ['nodenext', 'node16']) {
    const compilerOptions = {
      module,
      moduleResolution: module,
      target: 'es2022',
      strict: true,
      noEmit: true,
      types: ['node'],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, '-p', folder]).catch((error: { stdout: string }) => {
      throw new Error(`${module}:\n${error.stdout}`);
    });
  }
});

test('the package has the licence, the notice, and a README without links into the repository', async () => {
  const folder = join(project, 'node_modules/@tidemark/client');
  for (const name of ['LICENSE', 'NOTICE']) {
    expect(await readFile(join(folder, name), 'utf8')).toBe(await readFile(join(ROOT, name), 'utf8'));
  }
  const readme = await readFile(join(folder, 'README.md'), 'utf8');
  expect(readme).toContain('connect(');
  expect(readme).not.toMatch(/In this repository|\]\(\.\.\//);
});

test('the declarations name no package of the repository', async () => {
  for (const name of ['index.d.ts', 'index.d.cts']) {
    const text = await readFile(join(project, 'node_modules/@tidemark/client/dist', name), 'utf8');
    expect([...text.matchAll(/from ['"]([^'"]+)['"]/g)].map(([, from]) => from)).toEqual(['@grpc/grpc-js']);
  }
});
