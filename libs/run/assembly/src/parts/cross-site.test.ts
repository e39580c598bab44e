import { afterEach, expect, test } from '@jest/globals';
import { Access } from '@tidemark/access';
import { ControlState } from '@tidemark/control-log';
import { httpApi } from '@tidemark/http-api';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { TidemarkError } from '@tidemark/ports';
import type { QueryReader } from '@tidemark/query';
import { parseSettings } from '@tidemark/settings';
import type { FastifyInstance } from 'fastify';
import { intakeEndpoints } from './assemble-intake.ts';

const clock = new SystemClock();
const access = new Access(new ControlState());

let app: FastifyInstance | undefined;
afterEach(async () => {
  await app?.close();
});

/** The routes of `tidemark start`, over parts of which each counts as work. */
async function setUp() {
  const worked: string[] = [];
  const work = (name: string) => () => {
    worked.push(name);
    throw new TidemarkError('unavailable', 'it is only counted');
  };
  const service = new Proxy({} as QueryReader, { get: (_, name) => work(String(name)) });
  const endpoints = intakeEndpoints(
    { session: () => undefined, access, clock, random: new SystemRandom() },
    parseSettings({}),
  );
  app = httpApi({ service, access: { tenantOf: work('access') }, clock, routes: endpoints.routes });
  await app.ready();
  const routes = routesOf(app.printRoutes({ commonPrefix: false }));
  return { app, routes, worked };
}

/** Returns the methods and paths of a list such as `├── /api/v1/query (GET, HEAD)`, whose lines are nested. */
function routesOf(tree: string): [method: string, path: string][] {
  const parts: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, part, methods] = /^([│ ]*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? [];
    if (part === undefined) return [];
    const depth = indent.length / 4;
    parts.length = depth;
    parts.push(part);
    return (methods?.split(', ') ?? []).map((method): [string, string] => [
      method,
      parts.join('').replace(/:\w+/g, 'x'),
    ]);
  });
}

const CROSS_SITE = [
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { host: 'evil.example' },
] as const;

test('each route refuses what a page of another site can send, before any work', async () => {
  const { app, routes, worked } = await setUp();
  expect(routes).toEqual(
    expect.arrayContaining([
      ['GET', '/api/v1/query'],
      ['POST', '/api/v1/write'],
      ['GET', '/healthz'],
    ]),
  );
  expect(routes.length).toBeGreaterThan(30);
  for (const [method, url] of [...routes, ['GET', '/api/v1/none'], ['POST', '/api/v2/logs']] as [string, string][]) {
    for (const headers of CROSS_SITE) {
      const isOpened = 'sec-fetch-dest' in headers && headers['sec-fetch-dest'] === 'document' && method === 'GET';
      if (isOpened && !url.startsWith('/api/')) continue;
      const { statusCode } = await app.inject({ method: method as 'GET', url, headers });
      expect([method, url, headers, statusCode]).toEqual([method, url, headers, 403]);
    }
  }
  expect(worked).toEqual([]);
});

test.each(['same-origin', 'same-site', 'none'])(
  'requests of the page itself, and of no page, are served: %s',
  async (site) => {
    const { app, worked } = await setUp();
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
    expect((await app.inject({ url: '/healthz', headers })).statusCode).toBe(200);
    await app.inject({ url: '/api/v1/query?query=sum:a{*}&from=1&to=2', headers });
    expect(worked).toEqual(['access']);
  },
);

test.each(['/%61pi/v1/query', '//api/v1/query', '/API/v1/query', '/api%2fv1/query'])(
  'a link cannot open %s',
  async (url) => {
    const { app, worked } = await setUp();
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await app.inject({ url, headers })).statusCode).toBe(403);
    expect(worked).toEqual([]);
  },
);
