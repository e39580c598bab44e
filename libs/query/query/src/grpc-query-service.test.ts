import { credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { QueryClient, QueryService as QueryDefinition } from '@tidemark/contract';
import { evenMap, KIND } from '@tidemark/model';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { ModelStores } from '@tidemark/replicas/testing';
import { runQuery, withRequestLimit } from '@tidemark/rpc';
import { addStoreService, grpcPointStore, grpcTagStore } from '@tidemark/store-rpc';
import { answerBytes } from '@tidemark/store-rpc/testing';
import { QueryService, queryService } from './index.ts';

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
const REQUEST_BYTES = 100_000;
const FROM_MS = 1_700_000_000_000;
const RANGE = { fromMs: FROM_MS, toMs: FROM_MS + 60_000 };

describe('stores and queries over gRPC', () => {
  const model = new ModelStores();
  const server = new Server();
  const closing: { close(): void }[] = [];
  let client: QueryClient;
  let service: QueryService;
  let pointStore: ReturnType<typeof grpcPointStore>;
  let tagStore: ReturnType<typeof grpcTagStore>;

  beforeAll(async () => {
    model.points = [
      { partition: 0, tenant: 'acme', metric: 'load', kind: KIND.gauge, tags: ['host:a'], timeMs: FROM_MS, value: 3 },
    ];
    model.watermarksMs.set(0, RANGE.toMs);
    addStoreService(
      server,
      'points',
      answerBytes(
        'points',
        (partition) => ({
          ...model.pointStore(partition),
          stateHash: async () => ({ offset: 7, hash: 'aa' }),
        }),
        model.pointProcess(),
      ),
    );
    addStoreService(
      server,
      'tags',
      answerBytes(
        'tags',
        (partition) => ({
          ...model.tagStore(partition),
          seriesCounts: async ({ sinceDay }) => ({ counts: [{ tenant: 'acme', metric: '', series: sinceDay }] }),
        }),
        model.tagProcess(),
      ),
    );
    const late: { service?: QueryService } = {};
    const access = {
      tenantOf: (key: string | undefined) => {
        if (key === 'good') return 'acme';
        throw new TidemarkError('unauthenticated', 'the key is not known or was revoked');
      },
    };
    server.addService(
      withRequestLimit(QueryDefinition, REQUEST_BYTES),
      queryService(
        {
          run: async (...args) => (late.service ?? fail()).run(...args),
          runFormulas: async (...args) => (late.service ?? fail()).runFormulas(...args),
          metrics: async (...args) => (late.service ?? fail()).metrics(...args),
          metric: async (...args) => (late.service ?? fail()).metric(...args),
          tags: async (...args) => (late.service ?? fail()).tags(...args),
          status: async (...args) => (late.service ?? fail()).status(...args),
        },
        access,
        clock,
      ),
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const address = `127.0.0.1:${port}`;
    pointStore = grpcPointStore(address, credentials.createInsecure(), { clock, timeoutMs: 20_000 });
    tagStore = grpcTagStore(address, credentials.createInsecure(), { clock, timeoutMs: 20_000 });
    client = new QueryClient(address, credentials.createInsecure());
    closing.push(pointStore, tagStore, client);
    service = new QueryService({
      stores: { pointStore: () => pointStore, tagStore: () => tagStore },
      maps: () => [evenMap(1)],
      latenessMs: () => 3000,
      clock,
    });
    late.service = service;
  });

  afterAll(() => {
    for (const each of closing) each.close();
    server.forceShutdown();
  });

  const run = (query: string, key: string, signal?: AbortSignal, variables = {}) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${key}`);
    return runQuery(() => client.run({ query, ...RANGE, variables }, metadata), signal);
  };

  test('a query is answered through three services', async () => {
    const reply = await run('avg:load{host:a}.rollup(60)', 'good');
    expect(reply).toMatchObject({ completeThroughMs: RANGE.toMs - 3000, errors: [] });
    expect(reply.series[0]).toMatchObject({ values: [3], intervalMs: 60_000, scope: 'host:a' });
    expect((await service.status('acme')).points[0].watermarkMs).toBe(RANGE.toMs);
    expect((await service.metrics('acme', { contains: '', fromMs: 0, limit: 0 })).metrics[0].metric).toBe('load');
    expect((await service.tags('acme', { metric: 'load', ...RANGE, limit: 0 })).keys[0].key).toBe('host');
  });

  test('template variables travel with the query', async () => {
    const reply = await run('avg:load{$host}.rollup(60)', 'good', undefined, { host: 'a' });
    expect(reply.series[0]).toMatchObject({ values: [3], scope: 'host:a' });
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer good');
    const query = 'sum:load{$host}.rollup(60)';
    const variableLists = { lists: { host: { values: ['a', 'no'] } } };
    const several = await runQuery(() => client.run({ query, ...RANGE, variables: {}, variableLists }, metadata));
    expect(several.series[0].expression).toBe('sum:load{host:a OR host:no}.rollup(60)');
    await expect(run('avg:load{$host}', 'good')).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('hashes and counts travel as they are', async () => {
    expect(await pointStore.stateHash({ partition: 0 })).toEqual({ offset: 7, hash: 'aa' });
    const { counts } = await tagStore.seriesCounts({ partition: 0, sinceDay: 20_000, metricSeriesFrom: 1 });
    expect(counts).toEqual([{ tenant: 'acme', metric: '', series: 20_000 }]);
  });

  test('errors keep code, message and detail', async () => {
    await expect(run('avg:load{*}', 'bad')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(run('avg:load{*', 'good')).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: { field: 'query', column: 11 },
    });
    model.failing.set('points/0', new TidemarkError('data_loss', 'a page is damaged'));
    const { errors } = await run('avg:load{*}', 'good');
    model.failing.clear();
    expect(errors).toEqual([{ part: 'points/0', code: 'data_loss', message: 'only operators see why' }]);
  });

  test('a request that is too large is refused by its size, before it is decoded', async () => {
    const variables = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`name-${i}`, 'value']));
    const refusal = {
      code: 'resource_exhausted',
      message: expect.stringMatching(/the request has \d+ bytes \(limit: 100000\)/),
    };
    await expect(run('sum:load{*}', 'good', undefined, variables)).rejects.toMatchObject(refusal);
    expect((await run('sum:load{*}', 'good')).series).toHaveLength(1);
    const metrics = new Promise((_, reject) =>
      client.metrics({ contains: 'x'.repeat(200_000), fromMs: FROM_MS, limit: 1 }, reject),
    );
    await expect(metrics).rejects.toMatchObject({ details: expect.stringContaining('(limit: 100000)') });
  });

  test('a cancelled call reaches the store', async () => {
    const abort = new AbortController();
    let store: AbortSignal | undefined;
    const reached = new Promise<void>((resolve) => {
      model.before = (part, signal) => {
        if (part !== 'points/0') return;
        store = signal;
        resolve();
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      };
    });
    const running = expect(run('avg:load{*}', 'good', abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    await reached;
    abort.abort();
    await running;
    await new Promise<void>((resolve) => {
      if (store?.aborted) resolve();
      else store?.addEventListener('abort', () => resolve());
    });
    model.before = () => {};
    expect(store?.aborted).toBe(true);
  });
});

function fail(): never {
  throw new TidemarkError('unavailable', 'not ready');
}
