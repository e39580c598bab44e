import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { Clock } from '@tidemark/ports';
import type { QueryReader } from '@tidemark/query';
import type { FastifyInstance } from 'fastify';
import { httpApi } from './index.ts';

const clock: Clock = { wallMs: () => 0, monotonicMs: () => 0, setTimer: () => ({ cancel: () => {} }) };
/** The page is served next to queries. None is asked here. */
const service = {} as QueryReader;
let app: FastifyInstance | undefined;
let folder = '';

afterEach(async () => {
  await app?.close();
  rmSync(folder, { recursive: true });
});

test('the page has its files and views, and no files outside of its folder', async () => {
  folder = mkdtempSync(join(tmpdir(), 'http-api-'));
  const dist = join(folder, 'dist');
  mkdirSync(join(dist, 'assets'), { recursive: true });
  writeFileSync(join(dist, 'index.html'), '<title>page</title>');
  writeFileSync(join(dist, 'assets', 'app-1a2b.js'), 'run()');
  writeFileSync(join(folder, 'outside.txt'), 'secret');
  const access = { tenantOf: () => 'default' };
  app = httpApi({ access, clock, service, pageFolder: dist });
  const page = await app.inject('/');
  expect([page.payload, page.headers['cache-control']]).toEqual(['<title>page</title>', 'no-cache']);
  const asset = await app.inject('/assets/app-1a2b.js');
  expect(asset.headers['cache-control']).toContain('immutable');
  expect((await app.inject({ url: '/status', headers: { accept: 'text/html' } })).payload).toBe('<title>page</title>');
  for (const url of ['/../outside.txt', '/%2e%2e/outside.txt', '/assets/..%2f..%2foutside.txt']) {
    expect((await app.inject(url)).payload).not.toContain('secret');
  }
  const outside = await app.inject('/assets/..%5coutside.txt');
  expect([outside.statusCode, outside.json()]).toEqual([
    403,
    {
      errors: ['path: /assets/..%5coutside.txt (limit: the files of the page)'],
      ...{ code: 'permission_denied', detail: { field: 'path' } },
    },
  ]);
});
