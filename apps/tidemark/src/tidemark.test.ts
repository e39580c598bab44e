import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { StartedProcess, tidemark, until } from './started-process.fixture.ts';

const envIsNoOrDev = ['--variable', 'env=no', '--variable', 'env=dev'];

let folder: string;
let started: StartedProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'));
});

afterEach(async () => {
  await Promise.all(started.map((one) => one.signal('SIGKILL')));
  started = [];
  rmSync(folder, { recursive: true, force: true });
});

async function start(...flags: string[]): Promise<StartedProcess> {
  const platform = await StartedProcess.start(folder, ...flags);
  started.push(platform);
  return platform;
}

interface Answer {
  readonly completeThroughMs?: number;
  readonly series: readonly { readonly values: readonly number[] }[];
}

/** The sum over the hour before `toMs`. */
async function sumOf(platform: StartedProcess, metric: string, toMs: number): Promise<number> {
  const { out, code } = await tidemark(
    ...['query', `sum:${metric}{*}.rollup(sum, 3600)`, '--from', String(toMs - 3_600_000), '--to', String(toMs)],
    ...['--format', 'json', '--address', platform.address],
  );
  expect(code).toBe(0);
  const answer: Answer = JSON.parse(out);
  return answer.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0);
}

interface HttpAnswer {
  readonly complete_through: number | null;
  readonly series: readonly { readonly pointlist: readonly unknown[] }[];
}

/** Queries over HTTP, because a process for each try would take long. */
async function ask(platform: StartedProcess, query: string, aroundMs: number): Promise<HttpAnswer> {
  const around = aroundMs / 1000;
  const range = `from=${around - 60}&to=${around + 60}`;
  const response = await fetch(`${platform.url}/api/v1/query?query=${encodeURIComponent(query)}&${range}`);
  return (await response.json()) as HttpAnswer;
}

async function complete(platform: StartedProcess, throughMs: number): Promise<void> {
  await until('a complete answer', async () => {
    const { complete_through: through } = await ask(platform, 'sum:a{*}', throughMs);
    return through !== null && through * 1000 > throughMs;
  });
}

/** Each test starts platforms and a dozen commands as processes, which is slow on a busy machine. */
jest.setTimeout(180_000);

describe('tidemark', () => {
  test('acknowledged points survive a kill, and no other process gets the folder or the ports', async () => {
    const first = await start('--no-agent', '--completeness-lateness-ms', '500');
    const address = ['--address', first.address];
    const sends = await Promise.all([
      tidemark('send', 'web.requests', '5', '--kind', 'count', '--tag', 'env:prod', 'role:web', ...address),
      tidemark('send', 'web.requests', '7', '--kind', 'count', '--tags', 'env:dev', ...address),
      tidemark('send', 'web.requests', '1', '--timestamp', '-30d', ...address),
    ]);
    expect(sends.map(({ code }) => code)).toEqual([0, 0, 1]);
    expect(sends[0].out).toMatch(/^acknowledged: count web.requests 5 {env:prod,role:web} at /);
    expect(sends[2].error).toMatch(/point rejected: .*timestamp.*limit/);
    const toMs = Date.now();
    await complete(first, toMs);

    const port = new URL(first.url).port;
    const elsewhere = ['--data', join(folder, 'other'), '--no-agent'];
    const third = ['--data', join(folder, 'third'), '--no-agent'];
    const [before, metrics, tags, status, second, http, grpc] = await Promise.all([
      sumOf(first, 'web.requests', toMs),
      tidemark('metrics', 'web', ...address),
      tidemark('tags', 'web.requests', ...address),
      tidemark('status', ...address),
      tidemark('start', '--data', folder, '--http-port', '0', '--grpc-port', '0'),
      tidemark('start', ...elsewhere, '--http-port', port, '--grpc-port', '0'),
      tidemark('start', ...third, '--http-port', '0', '--grpc-port', first.address.split(':')[1]),
    ]);
    expect(before).toBe(12);
    const [csv, csvOfTags, json] = await Promise.all([
      tidemark('metrics', 'web', '--format', 'csv', ...address),
      tidemark('tags', 'web.requests', '--format', 'csv', ...address),
      tidemark('tags', 'web.requests', '--format', 'json', ...address),
    ]);
    expect(csv.out).toBe('metric,classes,series\nweb.requests,count,2\n');
    expect(csvOfTags.out).toMatch(/^key,values,series,value,value_series\n(.*\n)*env,2,2,prod,1\n/);
    expect(JSON.parse(json.out)).toMatchObject({
      metric: 'web.requests',
      keys: expect.arrayContaining([expect.objectContaining({ key: 'role', values: 1, series: 1 })]),
    });
    const [dev, misspelt, missing, onHttpPort, tagsOfMisspelt] = await Promise.all([
      tidemark('query', 'sum:web.requests{$env}', ...envIsNoOrDev, '--format', 'csv', ...address),
      tidemark('query', 'sum:web.reqests{*}', ...address),
      tidemark('query', 'sum:web.requests{$env}', ...address),
      tidemark('status', '--address', `127.0.0.1:${port}`),
      tidemark('tags', 'web.reqests', ...address),
    ]);
    expect(tagsOfMisspelt).toMatchObject({ code: 1, error: expect.stringContaining('did you mean web.requests?') });
    expect(dev).toMatchObject({ code: 0, out: expect.stringMatching(/,7\b/) });
    expect(misspelt).toMatchObject({ code: 1, error: expect.stringMatching(/note: .*did you mean web\.requests\?/) });
    expect(missing).toMatchObject({
      code: 1,
      error: expect.stringMatching(/"\$env" without a value.*--variable env=/),
    });
    expect(onHttpPort).toMatchObject({ code: 1, error: expect.stringContaining('needs the gRPC port') });
    expect(metrics.out).toMatch(/web\.requests .*count .*2/);
    expect(tags.out).toMatch(/env .*2 .*2 .*(prod|dev) \(1\)/);
    expect(status.out).toMatch(/complete through .* D is 500 ms/);
    expect(status.out).toMatch(/points\/3 /);
    expect(status.out).toMatch(/timestamp_behind 1/);
    expect(second).toMatchObject({ code: 1, error: expect.stringMatching(/in use by process \d+\n.*--data/) });
    expect(http).toMatchObject({ code: 1, error: expect.stringMatching(/HTTP port \d+ .* in use.*\n.*--http-port/) });
    expect(grpc).toMatchObject({ code: 1, error: expect.stringMatching(/gRPC port \d+ .* in use.*\n.*--grpc-port/) });
    expect(grpc.error).not.toContain('No address added');
    for (const refused of [http, grpc]) expect(refused.error).toMatch(/^tidemark: (HTTP|gRPC) port/);
    expect(['other', 'third'].filter((name) => existsSync(join(folder, name)))).toEqual([]);

    await first.signal('SIGKILL');
    const again = await start('--no-agent', '--data-partitions', '8', '--completeness-lateness-ms', '500');
    await complete(again, toMs);
    expect(await sumOf(again, 'web.requests', toMs)).toBe(before);
    expect(await again.signal('SIGINT')).toBe(0);
  });

  test('metrics of this host arrive at once, and the platform runs without DogStatsD if its port is in use', async () => {
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
    // A failure below leaves it open: it must not keep the test's process alive.
    taken.unref();
    const platform = await start('--dogstatsd-port', String(taken.address().port));
    expect(platform.error).toMatch(/in use.*--dogstatsd-port.*without DogStatsD/);
    await until('metrics of this host', async () => {
      const { series, complete_through: through } = await ask(platform, 'avg:system.cpu.user{*}', Date.now());
      return series[0]?.pointlist.length > 2 && through !== null && through * 1000 > Date.now() - 10_000;
    });
    const query = ['query', 'avg:system.cpu.user{*} by {host}', '--address', platform.address];
    const chart = await tidemark(...query, '--format', 'chart');
    expect(chart).toMatchObject({
      code: 0,
      out: expect.stringContaining('host:'),
      error: expect.stringContaining('complete through'),
    });
    expect(await platform.signal('SIGTERM')).toBe(0);
    expect(platform.error).toContain('stopped');
    taken.close();
  });

  test('a user states what a metric is, takes it back, and gets a suggestion for a misspelt name', async () => {
    const platform = await start('--no-agent', '--completeness-lateness-ms', '500');
    const address = ['--address', platform.address];
    await tidemark('send', 'web.requests', '5', ...address);
    const show = async (name = 'web.requests') => {
      const { code, out, error } = await tidemark('metric', 'show', name, '--format', 'json', ...address);
      return code === 0 ? JSON.parse(out) : error;
    };
    await until('the metric', async () => (await show()).kind === 'gauge');
    const given = ['--kind', 'counter', '--unit', 'request', '--interval', '15s', '--description', 'of the web'];
    const set = await tidemark('metric', 'set', 'web.requests', ...given, ...address);
    expect(set).toMatchObject({ code: 0, out: 'stated of web.requests: kind, unit, description, interval\n' });
    await until('the statement', async () => (await show()).kind === 'counter');
    expect(await show()).toMatchObject({
      ...{ classes: ['reading'], unit: 'request', description: 'of the web', interval_ms: 15_000 },
      sources: { kind: 'user', unit: 'user', description: 'user', interval_ms: 'user' },
    });
    const unset = await tidemark('metric', 'unset', 'web.requests', '--kind', '--unit', ...address);
    expect(unset).toMatchObject({ code: 0, out: 'taken back of web.requests: kind, unit\n' });
    await until('what senders say', async () => (await show()).kind === 'gauge');
    expect(await show()).toMatchObject({ unit: null, interval_ms: 15_000, sources: { kind: 'implied' } });

    const [again, wrong] = await Promise.all([
      tidemark('metric', 'unset', 'web.requests', '--unit', ...address),
      tidemark('metric', 'set', 'web.requests', '--kind', 'count', ...address),
    ]);
    expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/nothing of unit was stated of web\.requests/) });
    expect(wrong).toMatchObject({ code: 1, error: expect.stringMatching(/class reading.*gauge or counter/) });

    const [nothing, empty, misspelt, shown, notUnset, early] = await Promise.all([
      tidemark('metric', 'set', 'web.requests', ...address),
      tidemark('metric', 'set', 'web.requests', '--unit', '', ...address),
      tidemark('metric', 'set', 'web.reqests', '--unit', 'request', ...address),
      tidemark('metric', 'show', 'web.reqests', ...address),
      tidemark('metric', 'unset', 'web.reqests', ...address),
      tidemark('metric', 'set', 'web.later', '--kind', 'counter', '--new', ...address),
    ]);
    expect(nothing).toMatchObject({ code: 1, error: expect.stringMatching(/at least one of --kind/) });
    expect(empty).toMatchObject({ code: 1, error: expect.stringContaining('metric unset') });
    for (const one of [misspelt, shown, notUnset]) {
      expect(one).toMatchObject({ code: 1, error: expect.stringContaining('did you mean web.requests?') });
    }
    expect(misspelt.error).toContain('--new');
    expect(shown.error + notUnset.error).not.toContain('--new');
    expect(early.code).toBe(0);
    await until('what was stated early', async () => (await show('web.later')).kind === 'counter');
    const table = await tidemark('metric', 'show', 'web.requests', ...address);
    expect(table.out).toMatch(/interval +│ 15\.0 s +│ a user/);
  });

  test('an operator can use keys, hashes and skips, and only loopback is served while no key exists', async () => {
    const refused = await tidemark(
      'start',
      '--data',
      folder,
      '--host',
      '0.0.0.0',
      '--http-port',
      '0',
      '--grpc-port',
      '0',
    );
    expect(refused).toMatchObject({ code: 1, error: expect.stringMatching(/no key exists(.|\n)*keys create/) });
    const platform = await start('--no-agent');
    const address = ['--address', platform.address];
    const created = await tidemark('keys', 'create', 'ops', '--scope', 'read', 'admin', ...address);
    expect(created.out).toMatch(/^tdm_\S+\n$/);
    const key = ['--key', created.out.trim()];
    const [listed, sent, hashes, skipped] = await Promise.all([
      tidemark('keys', 'list', ...address, ...key),
      tidemark('send', 'a', '1', ...address, '--key', 'tdm_wrong'),
      tidemark('state-hash', '--format', 'json', ...address, ...key),
      tidemark('skip', 'points', '1', '99', '--reason', 'a test', ...address),
    ]);
    expect(listed.out).toMatch(/default .*ops .*read, admin/);
    expect(listed.out).not.toContain(created.out.trim());
    expect(sent).toMatchObject({ code: 1, error: expect.stringMatching(/key is not known.*\n.*--key/) });
    expect(JSON.parse(hashes.out)).toHaveLength(4);
    expect(skipped).toMatchObject({ code: 1, error: expect.stringContaining('points/1 is not halted') });
    const revoked = await tidemark('keys', 'revoke', 'ops', ...address);
    expect(revoked.code).toBe(0);
  });

  test('the agent of this process is shown only to the tenant that it sends as', async () => {
    const platform = await start('--dogstatsd-port', '0');
    const address = ['--address', platform.address];
    const created = await tidemark('keys', 'create', 'dashboards', '--tenant', 'acme', '--scope', 'read', ...address);
    const headers = { 'dd-api-key': created.out.trim() };
    const status = async (of: object) => {
      const response = await fetch(`${platform.url}/api/tidemark/v1/status`, of);
      return (await response.json()) as object;
    };
    expect(await status({})).toMatchObject({ for_operator: true, agent: { running: true } });
    const shown = await status({ headers });
    expect(shown).toMatchObject({ for_operator: false });
    expect(shown).not.toHaveProperty('agent');
    const printed = await tidemark('status', ...address, '--key', created.out.trim());
    expect(printed).toMatchObject({ code: 0, out: expect.stringContaining('points/0') });
    expect(printed.out).not.toMatch(/tidemark \d+|uncommitted/);
  });

  test('when loopback needs a key, every request without one is refused, except those of the own agent', async () => {
    const flags = ['--listen-loopback-needs-key', '--dogstatsd-port', '0'];
    const refused = await tidemark('start', '--data', folder, '--http-port', '0', '--grpc-port', '0', ...flags);
    expect(refused).toMatchObject({ code: 1, error: expect.stringMatching(/no key exists(.|\n)*keys create/) });
    const before = await start('--no-agent');
    const created = await tidemark('keys', 'create', 'ops', '--scope', 'admin', '--address', before.address);
    await before.signal('SIGTERM');
    const platform = await start(...flags);
    const address = ['--address', platform.address];
    const key = ['--key', created.out.trim()];
    const [sent, read, admin, page] = await Promise.all([
      tidemark('send', 'a', '1', ...address),
      tidemark('metrics', ...address),
      tidemark('keys', 'list', ...address),
      fetch(`${platform.url}/api/tidemark/v1/status`),
    ]);
    for (const one of [sent, read, admin]) expect(one).toMatchObject({ code: 1, error: expect.stringMatching(/key/) });
    expect(page.status).toBe(401);
    await until('metrics of this host', async () =>
      (await tidemark('metrics', ...address, ...key)).out.includes('system.'),
    );
  });

  test('the refusal of a newer data folder, a wrong setting or a wrong command says what to do', async () => {
    mkdirSync(join(folder, 'log'));
    writeFileSync(join(folder, 'log', 'FORMAT'), 'tidemark-log 99\n');
    const file = join(folder, 'log', 'FORMAT');
    const none = join(folder, 'none.json');
    const [newer, setting, command, away, onFile, noFile] = await Promise.all([
      tidemark('start', '--data', folder, '--http-port', '0', '--grpc-port', '0'),
      tidemark('start', '--store-threads', '0'),
      tidemark('statu'),
      tidemark('metrics', '--address', '127.0.0.1:1'),
      tidemark('start', '--data', file, '--http-port', '0', '--grpc-port', '0'),
      tidemark('start', '--settings', none),
    ]);
    expect(newer).toMatchObject({ code: 1, error: expect.stringMatching(/format 99(.|\n)*newer one/) });
    expect(setting).toMatchObject({
      code: 1,
      error: expect.stringContaining('store.threads: 0, given by --store-threads'),
    });
    expect(command).toMatchObject({ code: 1, error: expect.stringContaining('status') });
    expect(away).toMatchObject({
      code: 1,
      error: expect.stringMatching(/no platform answers at 127.0.0.1:1.*npm start/),
    });
    const refusal = `tidemark: cannot use ${file} as the data folder: it is a file\nChoose another with --data`;
    expect(onFile).toMatchObject({ code: 1, error: expect.stringContaining(refusal) });
    expect(onFile.error).not.toContain('free space');
    expect(noFile).toMatchObject({ code: 1, error: `tidemark: the settings file ${none} does not exist\n` });
  });
});
