import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Scope } from '@tidemark/access';
import { SystemClock } from '@tidemark/node-runtime';
import { sleep } from '@tidemark/ports';
import { parseSettings } from '@tidemark/settings';
import { Platform } from './platform.ts';
import { AnyRpcClient, type RpcDefinition } from './testing/any-rpc-client.ts';
import { HTTP_RULES, JSON_BODY, RPC_RULES, type Rule } from './testing/endpoint-rules.ts';

/** What no caller of another tenant may read, in any answer. Each text is in something that the default tenant did. */
const OF_DEFAULT = ['asked.metrics', 'hidden-tag', 'hidden-example', 'hidden-key'];
/** What only operators may read. */
const OF_PLATFORM = [`tidemark ${process.pid}`, 'tidemark-endpoints-'];
const SCOPES: readonly Scope[] = ['send', 'read', 'admin'];
const TENANTS = ['default', 'acme'] as const;

interface Caller {
  readonly tenant: (typeof TENANTS)[number] | undefined;
  readonly scope: Scope | undefined;
  readonly key: string | undefined;
}

interface Received {
  /** False for an error that is about the caller. */
  readonly isAdmitted: boolean;
  readonly text: string;
}

const routes = new Set<string>();
const rpcs = new Map<string, RpcDefinition>();
const callers: Caller[] = [];
let folder: string;
let platform: Platform;
let rpc: AnyRpcClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-endpoints-'));
  platform = await start();
  for (const tenant of TENANTS) {
    for (const scope of SCOPES) {
      const name = tenant === 'default' ? `hidden-key-${scope}` : scope;
      callers.push({ tenant, scope, key: await platform.coordinator.createKey(tenant, name, [scope]) });
    }
  }
  await platform.stop();
  platform = await start(['listen-loopback-needs-key']);
  rpc = new AnyRpcClient(`127.0.0.1:${platform.grpcPort}`);
  callers.push({ tenant: undefined, scope: undefined, key: undefined });
  callers.push({ tenant: undefined, scope: undefined, key: 'tdm_unknown' });
  await fill();
}, 60_000);

afterAll(async () => {
  rpc?.close();
  await platform?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a platform, and notes each route and each RPC that it registers. */
async function start(flags: readonly string[] = []): Promise<Platform> {
  const onApp = (message: unknown) => {
    const { fastify } = message as { fastify: { addHook(name: string, hook: (route: Route) => void): void } };
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) if (one !== 'HEAD') routes.add(`${one} ${url}`);
    });
  };
  const added = jest.spyOn(Server.prototype, 'addService');
  subscribe('fastify.initialization', onApp);
  try {
    const given = Object.fromEntries(flags.map((flag) => [flag, 'true']));
    return await Platform.start({
      settings: parseSettings({ flags: { 'http-port': '0', 'grpc-port': '0', data: folder, ...given } }),
      clock: new SystemClock(),
      events: { info: () => undefined, error: () => undefined, fatal: (error) => console.error(error) },
      protoFolder: fileURLToPath(new URL('../../../../../proto', import.meta.url)),
    });
  } finally {
    unsubscribe('fastify.initialization', onApp);
    for (const [service] of added.mock.calls) {
      for (const definition of Object.values(service)) rpcs.set(definition.path, definition);
    }
    added.mockRestore();
  }
}

interface Route {
  readonly method: string | string[];
  readonly url: string;
}

/** Gives each tenant a series, and the default one things that others must not see. */
async function fill(): Promise<void> {
  const nowS = Math.floor(Date.now() / 1000);
  const post = async (tenant: string, metric: string, tag: string) => {
    const points = [{ timestamp: nowS, value: 1 }];
    const series = [
      { metric, type: 1, points, tags: [`why:${tag}`] },
      { metric: `${metric}s`, type: 1, points },
      { metric: `no metric: ${tag.replace('tag', 'example')}`, type: 9, points },
    ];
    const key = callers.find((one) => one.tenant === tenant && one.scope === 'send')?.key ?? '';
    const sent = { method: 'POST', headers: { ...JSON_BODY, 'dd-api-key': key }, body: JSON.stringify({ series }) };
    // The lanes of an intake open a moment after its start.
    for (;;) {
      const { status } = await fetch(`http://127.0.0.1:${platform.httpPort}/api/v2/series`, sent);
      if (status !== 503) return expect(status).toBe(202);
      await sleep(new SystemClock(), 100);
    }
  };
  await post('default', 'asked.metric', 'hidden-tag');
  await post('acme', 'acme.metric', 'acme-tag');
}

async function askHttp(route: string, rule: Rule, { key }: Caller): Promise<Received> {
  const [method, url] = route.split(' ');
  const path = (rule.path ?? url) + (rule.query ?? '');
  const response = await fetch(`http://127.0.0.1:${platform.httpPort}${path}`, {
    method,
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...rule.headers },
    body: rule.body,
  });
  return {
    isAdmitted: ![401, 403].includes(response.status),
    text: `${JSON.stringify([...response.headers])} ${await response.text()}`,
  };
}

/** Whether a caller is admitted where the rule is kept. */
function mayCall({ scope, isForOperators }: Rule, caller: Caller): boolean {
  if (scope === undefined) return true;
  if (caller.tenant === undefined || (isForOperators && caller.tenant !== 'default')) return false;
  return scope === 'any' || caller.scope === scope || caller.scope === 'admin';
}

/** Nothing that an answer says may be of another tenant, or of the platform, unless the caller is an operator. */
function expectOwn(where: string, { tenant, scope }: Caller, { text }: Received): void {
  const isOperator = tenant === 'default' && scope === 'admin';
  const hidden = [...(tenant === 'default' ? [] : OF_DEFAULT), ...(isOperator ? [] : OF_PLATFORM)];
  const seen = hidden.filter((one) => text.includes(one));
  expect([where, seen]).toEqual([where, []]);
}

describe('every endpoint', () => {
  test('has a rule', () => {
    expect([...routes].sort()).toEqual(Object.keys(HTTP_RULES).sort());
    expect([...rpcs.keys()].sort()).toEqual(Object.keys(RPC_RULES).sort());
  });

  test.each(Object.entries(HTTP_RULES))('%s keeps its rule for each scope and tenant', async (route, rule) => {
    for (const caller of callers) {
      const where = `${caller.tenant} ${caller.scope}`;
      const received = await askHttp(route, rule, caller);
      expect([where, received.isAdmitted]).toEqual([where, mayCall(rule, caller)]);
      expectOwn(where, caller, received);
    }
  });

  test.each(Object.entries(RPC_RULES))('%s keeps its rule for each scope and tenant', async (path, rule) => {
    const definition = rpcs.get(path);
    if (definition === undefined) throw new Error(`${path} is not registered`);
    for (const caller of callers) {
      const where = `${caller.tenant} ${caller.scope}`;
      const { code, text } = await rpc.ask(definition, rule.message, caller.key);
      const isAdmitted = code !== 'unauthenticated' && code !== 'permission_denied';
      expect([where, isAdmitted]).toEqual([where, mayCall(rule, caller)]);
      expectOwn(where, caller, { isAdmitted, text });
    }
  });
});

test('operators see what the others do not', async () => {
  const texts: string[] = [];
  for (const caller of callers.filter(({ tenant, scope }) => tenant === 'default' && scope === 'admin')) {
    for (const [route, rule] of Object.entries(HTTP_RULES)) texts.push((await askHttp(route, rule, caller)).text);
    for (const [path, rule] of Object.entries(RPC_RULES)) {
      const definition = rpcs.get(path);
      if (definition !== undefined) texts.push((await rpc.ask(definition, rule.message, caller.key)).text);
    }
  }
  const all = texts.join('\n');
  const seen = [...OF_DEFAULT, ...OF_PLATFORM].filter((one) => all.includes(one));
  expect(seen).toEqual([...OF_DEFAULT, ...OF_PLATFORM]);
});
