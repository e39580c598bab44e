import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import {
  type PointStateHashReply,
  PointStoreClient,
  QueryClient,
  type StatusReply,
  type TagPartitionStatusReply,
  TagStoreClient,
} from '@tidemark/contract';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import type { LocalCluster, ServiceProcess } from '@tidemark/local-cluster';
import { callUnary, runQuery } from '@tidemark/rpc';
import { askDoctor } from './process/ask-doctor.ts';
import { ClusterHarness } from './process/cluster-harness.ts';
import { eventually } from './process/eventually.ts';

const PARTITIONS = 2;
const WAIT_MS = 60_000;
const KEY = 'the key of this cluster';
/** Time limit of the test's own programs on a busy machine. */
const TEST_MS = 180_000;

await kafkaSuite('a cluster of processes, with TLS and a key between them', () => {
  let harness: ClusterHarness;
  let cluster: LocalCluster;
  let tls: ChannelCredentials;
  let client: Client;
  let sent = 0;

  beforeAll(async () => {
    harness = await ClusterHarness.start(async (folder) => {
      const certificate = makeCertificate(folder);
      await writeFile(join(folder, 'cluster.key'), `${KEY}\n`);
      tls = credentials.createSsl(await readFile(certificate.certFile));
      return {
        partitions: PARTITIONS,
        intakes: 2,
        pointStores: 2,
        tagStores: 2,
        aggregators: 1,
        settings: {
          tls: { ...certificate, caFile: certificate.certFile },
          cluster: { keyFile: join(folder, 'cluster.key') },
          lane: { lingerMs: 20, openDelayMs: 200 },
          store: { threads: 1 },
        },
        client: { name: 'the test', credentials: tls, flushIntervalMs: 100 },
      };
    });
    ({ cluster, client } = harness);
  }, KAFKA_START_MS * 2);

  afterAll(() => harness?.close(), WAIT_MS);

  async function send(count: number): Promise<void> {
    for (let i = 0; i < count; i++) for (const metric of ['a', 'b', 'c']) client.count(metric, 1, [`n:${i % 3}`]);
    client.flush();
    sent += count;
    await client.settled();
  }

  /** The sum of a metric over all time, once the answer is whole and complete through `throughMs`. */
  async function sumOf(metric: string, throughMs: number): Promise<number> {
    const query = new QueryClient(cluster.address(cluster.of('query')[0], 'grpc'), tls);
    try {
      return await eventually(
        `an answer complete through ${new Date(throughMs).toISOString()}`,
        async () => {
          const nowMs = Date.now();
          const range = { fromMs: nowMs - 1_800_000, toMs: nowMs + 60_000 };
          const request = { query: `sum:${metric}{*}.rollup(60)`, ...range, variables: {} };
          const reply = await runQuery(() => query.run(request));
          if (reply.errors.length > 0 || (reply.completeThroughMs ?? 0) < throughMs) return undefined;
          return reply.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0);
        },
        WAIT_MS,
        200,
      );
    } finally {
      query.close();
    }
  }

  async function expectAllFound(): Promise<void> {
    const nowMs = Date.now();
    for (const metric of ['a', 'b', 'c']) expect([metric, await sumOf(metric, nowMs)]).toEqual([metric, sent]);
  }

  async function restart(process: ServiceProcess): Promise<void> {
    process.spawn();
    await process.ready(WAIT_MS);
  }

  test(
    'accepts points at every intake and answers with all of them',
    async () => {
      await send(30);
      await expectAllFound();
    },
    TEST_MS,
  );

  test(
    'shows the counts of every intake session in its status',
    async () => {
      const query = new QueryClient(cluster.address(cluster.of('query')[0], 'grpc'), tls);
      const { sessions } = await callUnary<StatusReply>((done) => query.status({}, new Metadata(), done));
      query.close();
      const open = sessions.filter(({ state }) => state === 'open');
      expect(open.map(({ notTold }) => notTold)).toEqual(['', '']);
      expect(open.reduce((sum, { streams }) => sum + streams, 0)).toBe(1);
      expect(open.flatMap(({ clientNames }) => Object.values(clientNames))).toEqual(['the test']);
    },
    TEST_MS,
  );

  test(
    'answers completely without one replica of every store, and the restarted replica catches up',
    async () => {
      const gone = [cluster.of('point-store')[0], cluster.of('tag-store')[1], cluster.of('intake')[0]];
      await Promise.all(gone.map((process) => process.kill()));
      await send(30);
      await expectAllFound();
      await Promise.all(gone.map(restart));
      await send(30);
      await expectAllFound();
    },
    TEST_MS,
  );

  test(
    'continues without its coordinator, and with the next one',
    async () => {
      const [coordinator] = cluster.of('coordinator');
      await coordinator.kill();
      await send(30);
      await expectAllFound();
      await restart(coordinator);
      await send(30);
      await expectAllFound();
    },
    TEST_MS,
  );

  test(
    'has the same state in all replicas',
    async () => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${KEY}`);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        await eventually(
          `equal offsets of points/${partition}`,
          async () => {
            const hashes = await Promise.all(
              cluster.of('point-store').map(async (process) => {
                const store = new PointStoreClient(cluster.address(process, 'grpc'), tls);
                const request = { partition };
                try {
                  return await callUnary<PointStateHashReply>((done) => store.pointStateHash(request, metadata, done));
                } finally {
                  store.close();
                }
              }),
            );
            if (hashes[0].offset !== hashes[1].offset) return false;
            expect(hashes[0]).toEqual(hashes[1]);
            return true;
          },
          WAIT_MS,
        );
        const tags = await Promise.all(
          cluster.of('tag-store').map(async (process) => {
            const store = new TagStoreClient(cluster.address(process, 'grpc'), tls);
            try {
              return await callUnary<TagPartitionStatusReply>((done) =>
                store.tagPartitionStatus({ partition }, metadata, done),
              );
            } finally {
              store.close();
            }
          }),
        );
        expect([tags[0].offset, tags[0].stateHash]).toEqual([tags[1].offset, tags[1].stateHash]);
      }
    },
    TEST_MS,
  );

  test(
    'accepts the doctor with the key of its settings, and the doctor finds nothing',
    async () => {
      const diagnosis = await eventually(
        'the doctor to find nothing',
        async () => {
          const found = await askDoctor('--settings', cluster.settingsFile);
          if (found.code !== 0) throw new Error(JSON.stringify(found));
          return found;
        },
        WAIT_MS,
      );
      expect(diagnosis.looked).toMatch(/^9 of 9 processes, /);
    },
    TEST_MS,
  );

  test('stores refuse a caller without the key', async () => {
    const store = new PointStoreClient(cluster.address(cluster.of('point-store')[0], 'grpc'), tls);
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer an unknown key');
    for (const shown of [metadata, new Metadata()]) {
      const asked = callUnary<PointStateHashReply>((done) => store.pointStateHash({ partition: 0 }, shown, done));
      await expect(asked).rejects.toMatchObject({ code: 'unauthenticated' });
    }
    store.close();
  });

  test(
    'stops cleanly, and has all acknowledged points at the next start',
    async () => {
      await send(30);
      const stops = cluster.processes.map(async (process) => {
        await process.stop();
        return [process.name, process.ending];
      });
      expect(await Promise.all(stops)).toEqual(cluster.processes.map(({ name }) => [name, '0']));
      for (const process of cluster.processes) process.spawn();
      await cluster.ready();
      await expectAllFound();
    },
    TEST_MS,
  );
});

/** Makes a self-signed certificate for 127.0.0.1. */
function makeCertificate(folder: string): { certFile: string; keyFile: string } {
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...request, ...names, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  return { certFile, keyFile };
}
