import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type CreateSnapshotsReply, SnapshotsClient } from '@tidemark/contract';
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import { openKafkaLog, prepareTopics } from '@tidemark/kafka-log';
import { ClusterAdmin } from '@tidemark/kafka-log/testing';
import { SERIES_CLASS, seriesId } from '@tidemark/model';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { callStream } from '@tidemark/rpc';
import { parseSettings } from '@tidemark/settings';
import { grpcTagStore } from '@tidemark/store-rpc';
import { TagRecordWriter } from '@tidemark/tag-records';
import { clusterLogOptions, topicPlan } from './cluster-log.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { startTagStore } from './store-process.ts';

const WAIT_MS = 60_000;
const clock = new SystemClock();

await kafkaSuite('a process of stores', () => {
  let kafka: KafkaCluster;
  let admin: ClusterAdmin;
  let folder: string;
  let context: ServiceContext;
  const services = new Set<Service>();

  beforeAll(async () => {
    kafka = await KafkaCluster.start({ brokers: 1 });
    admin = new ClusterAdmin(kafka.bootstrap);
    folder = await mkdtemp(join(tmpdir(), 'tidemark-store-'));
    const groups = {
      kafka: { brokers: kafka.bootstrap.join(','), replication: 1, minInsync: 1, allowSingleReplica: true },
      data: { folder: join(folder, 'data'), partitions: 1 },
      objects: { store: 'folder', folder: join(folder, 'objects') },
      cluster: { partitions: '0', drainMs: 0 },
      grpc: { port: 0 },
      http: { port: 0 },
    };
    context = {
      settings: parseSettings({ flags: {}, environment: {}, file: { name: 'test', text: JSON.stringify(groups) } }),
      clock,
      random: new SystemRandom(),
      events: { info: () => undefined, error: () => undefined, fatal: () => undefined },
      name: 'tag-store 1',
      readFile: (path) => readFile(path),
      protoFolder: fileURLToPath(new URL('../../../../../proto', import.meta.url)),
      stopping: new AbortController().signal,
    };
  }, KAFKA_START_MS);

  afterEach(async () => {
    for (const service of services) await stop(service);
  });

  afterAll(async () => {
    await admin?.close();
    await kafka?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  /** Creates missing topics, and appends tag records. */
  async function append(records: number): Promise<void> {
    const options = await clusterLogOptions(context);
    await prepareTopics(options, topicPlan(context), context);
    const log = await openKafkaLog(options, context);
    const writer = await log.writer('tags', 0);
    for (let sequence = 0; sequence < records; sequence++) {
      const facts = new TagRecordWriter();
      const name = { tenant: 'default', metric: 'm', seriesClass: SERIES_CLASS.reading, tags: [`n:${sequence}`] };
      facts.addSeries(seriesId(name), name, 20_000);
      await writer.append(sequence, facts.take());
    }
    await log.close();
  }

  async function start(): Promise<Service> {
    const service = await startTagStore(context);
    services.add(service);
    return service;
  }

  async function stop(service: Service): Promise<void> {
    services.delete(service);
    await service.stop();
  }

  async function notReady({ httpPort }: Service): Promise<string | undefined> {
    const reply = await fetch(`http://127.0.0.1:${httpPort}/readyz`);
    if (reply.ok) return undefined;
    const { errors } = (await reply.json()) as { errors: string[] };
    return errors.join('; ');
  }

  async function until(service: Service, isSo: (reason: string | undefined) => boolean): Promise<void> {
    const deadlineMs = clock.monotonicMs() + WAIT_MS;
    for (;;) {
      const reason = await notReady(service);
      if (isSo(reason)) return;
      if (clock.monotonicMs() > deadlineMs) throw new Error(`it is still not ready: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function positionOf({ grpcPort }: Service) {
    const store = grpcTagStore(`127.0.0.1:${grpcPort}`, credentials.createInsecure(), { clock });
    try {
      return (await store.positions()).positions[0];
    } finally {
      store.close();
    }
  }

  /** Returns the result of a request of so many bytes. */
  async function seriesOf({ grpcPort }: Service, sizeBytes: number): Promise<string> {
    const store = grpcTagStore(`127.0.0.1:${grpcPort}`, credentials.createInsecure(), { clock });
    try {
      const request = { partition: 0, tenant: 'default', series: Buffer.alloc(sizeBytes) };
      const { series } = await store.seriesTags(request);
      return `${series.length} series`;
    } catch (error) {
      return String(error);
    } finally {
      store.close();
    }
  }

  async function createSnapshots({ grpcPort }: Service): Promise<CreateSnapshotsReply[]> {
    const client = new SnapshotsClient(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
    try {
      return await callStream(() => client.create({ kind: '', partitions: [] }));
    } finally {
      client.close();
    }
  }

  test(
    'a store makes a snapshot on request',
    async () => {
      await append(0);
      const store = await start();
      await until(store, (reason) => reason === undefined);
      expect((await createSnapshots(store)).at(-1)).toMatchObject({
        ...{ kind: 'tags', partition: 0 },
        state: { $case: 'made', value: { offset: 0 } },
      });
    },
    3 * WAIT_MS,
  );

  test(
    'a store continues in the topic that it has read, and not in one that was recreated while it was down',
    async () => {
      await append(3);
      const first = await start();
      await until(first, (reason) => reason === undefined);
      const before = await positionOf(first);
      expect(before).toMatchObject({ offset: 3, halted: '', logId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      await stop(first);

      const again = await start();
      await until(again, (reason) => reason === undefined);
      expect(await positionOf(again)).toMatchObject({ offset: 3, logId: before?.logId });
      // As large as a query of many series: more than a message of an intake may be.
      expect(await seriesOf(again, 5 * 2 ** 20)).not.toContain('message larger than max');
      await stop(again);

      await admin.admin.deleteTopics({ topics: ['tidemark-tags'] });
      // Longer than the deleted topic, so that only the id distinguishes them.
      await append(7);
      const later = await start();
      await until(later, (reason) => reason?.includes('was deleted and recreated') === true);
      const after = await positionOf(later);
      expect(after).toMatchObject({ offset: 3, committedOffset: 3, haltedOffset: -1 });
      expect(after?.logId).toBeUndefined();
      await stop(later);
    },
    3 * WAIT_MS,
  );
});
