import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, describe, expect, test } from '@jest/globals';
import { evenMap, KIND } from '@tidemark/model';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { ReplicaStores } from '@tidemark/replicas';
import { ModelStores } from '@tidemark/replicas/testing';
import { addStoreService, grpcPointStore, grpcTagStore } from '@tidemark/store-rpc';
import { answerBytes } from '@tidemark/store-rpc/testing';
import { QueryService } from './index.ts';
import { asAnswered } from './query-reader.ts';

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
const FROM_MS = 1_700_000_000_000;

/** Serves the stores on a port of loopback, 0 for any. */
async function serve(model: ModelStores, port: number): Promise<{ readonly server: Server; readonly port: number }> {
  const server = new Server();
  addStoreService(
    server,
    'points',
    answerBytes('points', (partition) => ({ ...model.pointStore(partition), stateHash: unused }), model.pointProcess()),
  );
  addStoreService(
    server,
    'tags',
    answerBytes('tags', (partition) => ({ ...model.tagStore(partition), seriesCounts: unused }), model.tagProcess()),
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, found) =>
      error === null ? resolve(found) : reject(error),
    );
  });
  return { server, port: bound };
}

async function unused(): Promise<never> {
  throw new TidemarkError('unimplemented', 'not of this test');
}

describe('replicas over gRPC', () => {
  const closing: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closing) await close();
  });

  test('a killed process is replaced by its replica, and used again when it is back at its address', async () => {
    const models = [new ModelStores(), new ModelStores()];
    const servers: Awaited<ReturnType<typeof serve>>[] = [];
    for (const model of models) {
      model.points = [
        { partition: 0, tenant: 't', metric: 'load', kind: KIND.gauge, tags: ['host:a'], timeMs: FROM_MS, value: 3 },
      ];
      model.watermarksMs.set(0, FROM_MS + 60_000);
      model.tagsOffsets.set(0, 100);
      servers.push(await serve(model, 0));
    }
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
    const points = addresses.map((name) => ({
      name,
      reader: grpcPointStore(name, credentials.createInsecure(), { clock, timeoutMs: 20_000 }),
      partitions: [0],
    }));
    const tags = addresses.map((name) => ({
      name,
      reader: grpcTagStore(name, credentials.createInsecure(), { clock, timeoutMs: 20_000 }),
      partitions: [0],
    }));
    const stores = new ReplicaStores({ points, tags, clock, limits: { pollMs: 50, pollTimeoutMs: 10_000 } });
    await stores.start();
    closing.push(
      () => stores.stop(),
      () => {
        for (const { reader } of [...points, ...tags]) reader.close();
        for (const { server } of servers) server.forceShutdown();
      },
    );
    const service = new QueryService({ stores, clock, maps: () => [evenMap(1)], latenessMs: () => 0 });
    const run = () =>
      service.run('t', { query: 'avg:load{*}.rollup(60)', fromMs: FROM_MS, toMs: FROM_MS + 60_000 }, asAnswered);

    for (let round = 0; round < 2; round++) {
      for (const victim of [0, 1]) {
        servers[victim].server.forceShutdown();
        for (let i = 0; i < 5; i++) {
          const reply = await run();
          expect(reply.errors).toEqual([]);
          expect(reply.series[0].values).toEqual([3]);
        }
        servers[victim] = await serve(models[victim], servers[victim].port);
        // The replica is stopped next: a query can be answered then only if it uses the restarted process.
        const before = models[victim].requests.length;
        const asked = () => models[victim].requests.slice(before).filter((request) => request !== 'positions');
        const deadline = performance.now() + 60_000;
        while (asked().length === 0) {
          expect(performance.now()).toBeLessThan(deadline);
          expect((await run()).errors).toEqual([]);
        }
      }
    }
    for (const { server } of servers) server.forceShutdown();
    await expect(run()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no replica of tags/0 could answer: 127.0.0.1:'),
    });
  }, 120_000);
});
