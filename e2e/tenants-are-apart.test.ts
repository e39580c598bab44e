import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hashApiKey } from '@tidemark/access';
import { IntakePeer } from './process/intake-peer.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterAll(() => harness.clear());

const METRIC = 'shop.orders';
const TENANTS = ['acme', 'globex'] as const;

interface Keys {
  readonly send: string;
  readonly read: string;
  readonly admin: string;
}

let platform: PlatformUnderTest;
let folder: string;
let fromMs: number;
const keys = new Map<string, Keys>();

beforeAll(async () => {
  folder = await harness.folder();
  platform = await harness.platform({ folder });
  fromMs = Math.floor(Date.now() / 1000) * 1000;
  for (const [i, tenant] of TENANTS.entries()) {
    const own = {
      send: await platform.createKey(tenant, 'agents', ['send']),
      read: await platform.createKey(tenant, 'dashboards', ['read']),
      admin: await platform.createKey(tenant, 'operators', ['admin']),
    };
    keys.set(tenant, own);
    const client = await harness.client(platform.grpcAddress, { key: own.send, name: `agent of ${tenant}` });
    client.count(METRIC, 10 + i, ['env:prod', `owner:${tenant}`]);
    client.gauge(`only.${tenant}`, Number.NaN);
    client.gauge(`only.${tenant}`, 1);
    client.flush();
    await client.settled();
    expect(client.stats()).toMatchObject({ ackedPoints: 2 });
  }
});

function keysOf(tenant: string): Keys {
  const found = keys.get(tenant);
  if (found === undefined) throw new Error(`no keys of ${tenant}`);
  return found;
}

test.each(TENANTS.map((tenant, i) => [tenant, 10 + i] as const))(
  '%s sees only its own points',
  async (tenant, value) => {
    const { read } = keysOf(tenant);
    const other = TENANTS.find((one) => one !== tenant);
    const answer = await platform.queryComplete(
      `sum:${METRIC}{*} by {owner}.rollup(sum, 60)`,
      fromMs,
      Date.now(),
      read,
    );
    expect(answer.series.map(({ tagSet, values }) => [tagSet, values])).toEqual([[[`owner:${tenant}`], [value]]]);
    expect(answer).toMatchObject({ seriesRead: 1, pointsRead: 1 });
    expect((await platform.metrics(read)).sort()).toEqual([`only.${tenant}`, METRIC].sort());
    expect(await platform.tags(METRIC, read)).toEqual(['env:prod', `owner:${tenant}`]);
    expect(await platform.tags(`only.${other}`, read)).toEqual([]);
    expect((await platform.query(`avg:only.${other}{*}`, fromMs, Date.now(), read)).series).toEqual([]);

    const { points, sessions } = await platform.status(read);
    expect(new Set(points.flatMap(({ clients }) => clients.map((client) => client.tenant)))).toEqual(new Set([tenant]));
    expect(sessions.flatMap(({ clientNames }) => Object.values(clientNames))).toEqual([`agent of ${tenant}`]);

    const url = `${platform.httpUrl}/api/v1/query?query=sum:${METRIC}{*}.rollup(sum,60)&from=${fromMs / 1000}&to=${Date.now() / 1000}`;
    const response = await fetch(url, { headers: { 'dd-api-key': read } });
    expect(await response.json()).toMatchObject({ series: [{ pointlist: [[expect.any(Number), value]] }] });
  },
);

test('the default tenant sees the points of neither', async () => {
  expect(await platform.metrics()).toEqual([]);
  expect((await platform.query(`sum:${METRIC}{*}`, fromMs, Date.now())).series).toEqual([]);
  const { points, sessions } = await platform.status();
  expect(points.flatMap(({ clients }) => clients)).toEqual([]);
  expect(sessions.flatMap(({ clientNames }) => Object.values(clientNames))).toEqual([]);
});

test('a key permits only the requests of its scopes', async () => {
  const { send, read, admin } = keysOf('acme');
  await expect(platform.query(`sum:${METRIC}{*}`, fromMs, Date.now(), send)).rejects.toMatchObject({
    code: 'permission_denied',
    message: expect.stringMatching(/agents lacks the scope read/),
  });
  expect((await fetch(`${platform.httpUrl}/api/v1/metrics?from=0`, { headers: { 'dd-api-key': send } })).status).toBe(
    403,
  );
  const peer = new IntakePeer(platform.grpcAddress, { key: read });
  peer.hello();
  expect(await peer.ended()).toMatchObject({
    code: 'permission_denied',
    message: expect.stringMatching(/dashboards lacks the scope send/),
  });
  peer.close();
  await expect(platform.createKey('', 'mine', ['read'], read)).rejects.toMatchObject({ code: 'permission_denied' });
  await expect(platform.createKey('globex', 'theirs', ['read'], admin)).rejects.toMatchObject({
    code: 'permission_denied',
  });
  await expect(platform.skip('points', 0, 0, 'why not', admin)).rejects.toMatchObject({ code: 'permission_denied' });
});

test('an unknown key permits no request', async () => {
  const wrong = 'tdm_not-a-key-of-anybody';
  await expect(platform.metrics(wrong)).rejects.toMatchObject({ code: 'unauthenticated' });
  const peer = new IntakePeer(platform.grpcAddress, { key: wrong });
  peer.hello();
  const error = await peer.ended();
  expect(error.code).toBe('unauthenticated');
  expect(error.message).not.toContain(wrong);
  peer.close();
  const response = await fetch(`${platform.httpUrl}/api/v1/metrics?from=0`, { headers: { 'dd-api-key': wrong } });
  expect(response.status).toBe(401);
  expect(await response.text()).not.toContain(wrong);
});

test('the control log has only the hashes of keys, and no file or log line has a key', async () => {
  const made = [...keys.values()].flatMap(({ send, read, admin }) => [send, read, admin]);
  const written = JSON.stringify(platform.events) + platform.output.join('');
  for (const key of made) expect(written).not.toContain(key);

  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = new Set<string>();
  for (const file of files) {
    const bytes = await readFile(file);
    for (const key of made) {
      expect(bytes.includes(key)).toBe(false);
      if (bytes.includes(hashApiKey(key)) && file.includes(join('log', 'control'))) hashed.add(key);
    }
  }
  expect(hashed.size).toBe(made.length);
});
