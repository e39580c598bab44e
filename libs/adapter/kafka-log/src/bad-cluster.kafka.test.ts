import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import { freePorts } from '@tidemark/child-process';
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import {
  type KafkaLogOptions,
  openKafkaLog,
  prepareTopics,
  refuseTopics,
  type TopicPlan,
  topicProblems,
} from './index.ts';
import { ClusterAdmin } from './testing/cluster-admin.ts';

const RECORD_BYTES = 64 * 1024;
const DEADLINE_MS = 60_000;
const parts = { clock: new SystemClock(), random: new SystemRandom() };
const PLAN: TopicPlan = {
  partitions: { points: 2, tags: 2, control: 1 },
  replication: 1,
  minInSync: 1,
  allowsSingleCopy: true,
  recordBytes: RECORD_BYTES,
};
const NOW = { maxBytes: 1000, waitMs: 0 };

async function checkTopics(...asked: Parameters<typeof topicProblems>): Promise<void> {
  refuseTopics(await topicProblems(...asked));
}

await kafkaSuite('a cluster that is not as it must be', () => {
  let cluster: KafkaCluster;
  let admin: ClusterAdmin;
  let names = 0;

  beforeAll(async () => {
    cluster = await KafkaCluster.start({ brokers: 1 });
    admin = new ClusterAdmin(cluster.bootstrap);
  }, KAFKA_START_MS);
  afterAll(async () => {
    await admin.close();
    await cluster.close();
  });

  function fresh(more: Partial<KafkaLogOptions> = {}): KafkaLogOptions {
    const limits = { recordBytes: RECORD_BYTES, connectMs: 20_000, requestMs: 20_000, retryMs: 1500 };
    return { brokers: cluster.bootstrap, clientId: 'test', topicPrefix: `c${names++}.`, limits, ...more };
  }

  /** Changes a setting of a topic as an operator would. */
  async function set(topic: string, name: string, value: string): Promise<void> {
    const configs = [{ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }];
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs };
    await admin.admin.incrementalAlterConfigs({ resources: [resource] });
  }

  test(
    'topics are created once, with all their settings, and pass the check',
    async () => {
      const options = fresh();
      await prepareTopics(options, PLAN, parts);
      await prepareTopics(options, PLAN, parts);
      await checkTopics(options, PLAN, parts);
      const log = await openKafkaLog(options, parts);
      expect([
        await log.partitions('points'),
        await log.partitions('control'),
        await log.partitions('windows'),
      ]).toEqual([2, 1, 0]);
      await log.close();
    },
    DEADLINE_MS,
  );

  test(
    'each setting that could lose records is refused, with topic, key, found and wanted',
    async () => {
      const options = fresh();
      await prepareTopics(options, PLAN, parts);
      const points = `${options.topicPrefix}points`;
      const wrong: [key: string, found: string, wanted: string][] = [
        ['cleanup.policy', 'compact', 'delete'],
        ['retention.ms', '86400000', '-1'],
        ['retention.bytes', '1000000', '-1'],
        ['message.timestamp.type', 'CreateTime', 'LogAppendTime'],
        ['unclean.leader.election.enable', 'true', 'false'],
        ['max.message.bytes', '60000', String(RECORD_BYTES + 81)],
      ];
      for (const [key, found] of wrong) await set(points, key, found);
      const error = await checkTopics(options, PLAN, parts).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'failed_precondition', detail: { topic: points, key: 'cleanup.policy' } });
      const text = error instanceof Error ? error.message : '';
      for (const [key, found, wanted] of wrong)
        expect(text).toContain(`${points}: ${key} is ${found}, expected ${wanted}`);
      // Preparing topics does not change existing ones.
      await expect(prepareTopics(options, PLAN, parts)).rejects.toMatchObject({ code: 'failed_precondition' });
    },
    DEADLINE_MS,
  );

  test(
    'min.insync.replicas of 1 is refused with the reason, unless single copies are allowed',
    async () => {
      const options = fresh();
      await prepareTopics(options, PLAN, parts);
      const { allowsSingleCopy: _, ...safe } = PLAN;
      await expect(topicProblems(options, safe, parts)).rejects.toMatchObject({
        detail: { key: 'min.insync.replicas' },
      });
      await expect(checkTopics(options, safe, parts)).rejects.toMatchObject({
        code: 'failed_precondition',
        detail: { key: 'min.insync.replicas', found: '1', wanted: '2' },
      });
      // The check reads the setting of the brokers, not the plan.
      await expect(checkTopics(options, { ...PLAN, minInSync: 2, replication: 3 }, parts)).rejects.toThrow(
        /min\.insync\.replicas is 1, expected 2: an acknowledged record must be on several disks/,
      );
    },
    DEADLINE_MS,
  );

  test(
    'too few partitions, too few replicas, too few brokers and a missing topic are refused',
    async () => {
      const options = fresh();
      await expect(checkTopics(options, PLAN, parts)).rejects.toMatchObject({
        code: 'failed_precondition',
        detail: { key: 'topic', found: 'missing' },
      });
      await prepareTopics(options, PLAN, parts);
      await expect(checkTopics(options, { ...PLAN, partitions: { points: 3 } }, parts)).rejects.toMatchObject({
        detail: { topic: `${options.topicPrefix}points`, key: 'partitions', found: '2', wanted: 'at least 3' },
      });
      await expect(checkTopics(options, { ...PLAN, replication: 3 }, parts)).rejects.toMatchObject({
        detail: { key: 'replication', found: '1 (partition 0)', wanted: 'at least 3' },
      });
      await expect(prepareTopics(fresh(), { ...PLAN, replication: 3 }, parts)).rejects.toThrow(
        /replication factor 3 \(limit: the number of brokers, 1\)/,
      );
      const log = await openKafkaLog(options, parts);
      await expect(log.writer('points', 2)).rejects.toMatchObject({ code: 'not_found', detail: { partitions: 2 } });
      await expect(log.read('points', 2, 0, NOW)).rejects.toMatchObject({ code: 'not_found' });
      await expect(log.bounds('windows', 0)).rejects.toMatchObject({ code: 'not_found' });
      await log.close();
    },
    DEADLINE_MS,
  );

  test(
    'a record larger than the limit of the topic is refused, and its sequence stays free',
    async () => {
      const options = fresh();
      await prepareTopics(options, PLAN, parts);
      await set(`${options.topicPrefix}points`, 'max.message.bytes', '10000');
      const log = await openKafkaLog(options, parts);
      const writer = await log.writer('points', 0);
      await expect(writer.append(0, new Uint8Array(20_000))).rejects.toMatchObject({
        code: 'invalid_argument',
        detail: { kafkaError: 'MESSAGE_TOO_LARGE' },
      });
      expect((await writer.append(0, new Uint8Array(10))).offset).toBe(0);
      expect((await writer.append(1, new Uint8Array(10))).offset).toBe(1);
      await log.close();
    },
    DEADLINE_MS,
  );

  test(
    'a topic that was deleted and recreated is another log: writers and readers halt',
    async () => {
      const options = fresh();
      await prepareTopics(options, PLAN, parts);
      const log = await openKafkaLog(options, parts);
      const writer = await log.writer('points', 0);
      for (let sequence = 0; sequence < 3; sequence++) await writer.append(sequence, new Uint8Array(10));
      expect(await log.read('points', 0, 0, NOW)).toHaveLength(3);
      const { id } = await log.bounds('points', 0);
      // A log that only reads offsets and trims, by the topic's name, and so learns nothing of the deletion.
      const trimming = await openKafkaLog(options, parts);
      expect(await trimming.bounds('points', 0)).toMatchObject({ next: 3, id });
      await admin.admin.deleteTopics({ topics: [`${options.topicPrefix}points`] });
      // The broker learns of the deletion a little later; meanwhile it has the topic, and not its settings.
      const problems = () => topicProblems(options, PLAN, parts).catch(() => []);
      while ((await problems()).every(({ found }) => found !== 'missing'));
      await expect(writer.append(3, new Uint8Array(10))).rejects.toMatchObject({ code: 'not_found' });
      await prepareTopics(options, PLAN, parts);
      await expect(writer.append(3, new Uint8Array(10))).rejects.toMatchObject({ code: 'failed_precondition' });
      await expect(writer.append(3, new Uint8Array(10))).rejects.toThrow(/was deleted and recreated/);
      await expect(log.writer('points', 0)).rejects.toMatchObject({ code: 'failed_precondition' });
      await expect(log.read('points', 0, 0, NOW)).rejects.toMatchObject({ code: 'data_loss' });
      await log.close();

      const later = await openKafkaLog({ ...options, topicIds: { points: id } }, parts);
      await expect(later.read('points', 0, 0, NOW)).rejects.toThrow(/was deleted and recreated/);
      expect(await later.read('tags', 0, 0, NOW)).toEqual([]);
      await later.close();
      const recreated = await openKafkaLog(options, parts);
      const recreatedWriter = await recreated.writer('points', 0);
      for (let sequence = 0; sequence < 5; sequence++) await recreatedWriter.append(sequence, new Uint8Array(10));
      await expect(trimming.trim('points', 0, 3)).rejects.toThrow(/was deleted and recreated/);
      const bounds = await recreated.bounds('points', 0);
      expect(bounds).toMatchObject({ first: 0, next: 5 });
      expect(bounds.id).not.toBe(id);
      await trimming.close();
      await recreated.close();
    },
    DEADLINE_MS,
  );

  test(
    'records that another program wrote are lost records, one by one',
    async () => {
      const options = fresh();
      await prepareTopics(options, PLAN, parts);
      const log = await openKafkaLog(options, parts);
      const writer = await log.writer('points', 0);
      await writer.append(0, Buffer.from('ours'));
      const { Producer } = await import('@platformatic/kafka');
      const foreign = new Producer({ clientId: 'stranger', bootstrapBrokers: [...cluster.bootstrap] });
      const message = { topic: `${options.topicPrefix}points`, partition: 0, value: Buffer.from('theirs') };
      await foreign.send({ messages: [message], acks: -1 });
      await foreign.close();
      await writer.append(1, Buffer.from('ours again'));
      expect(await log.read('points', 0, 0, NOW)).toHaveLength(1);
      await expect(log.read('points', 0, 1, NOW)).rejects.toMatchObject({
        code: 'data_loss',
        detail: { topic: 'points', partition: 0, offset: 1, resumeAt: 2 },
      });
      expect((await log.read('points', 0, 2, NOW)).map(({ value }) => String(value))).toEqual(['ours again']);
      await log.close();
    },
    DEADLINE_MS,
  );

  test(
    'a dead address is passed over, and an error names all addresses when none of them answers',
    async () => {
      const [dead, other] = await freePorts(2);
      const log = await openKafkaLog(fresh({ brokers: [`127.0.0.1:${dead}`, ...cluster.bootstrap] }), parts);
      await log.close();
      const none = fresh({ brokers: [`127.0.0.1:${dead}`, `127.0.0.1:${other}`], limits: { retryMs: 100 } });
      const error = await openKafkaLog(none, parts).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'unavailable' });
      for (const port of [dead, other]) expect(String(error)).toContain(`127.0.0.1:${port}`);
      await expect(openKafkaLog(fresh({ brokers: ['nonsense'] }), parts)).rejects.toMatchObject({
        code: 'invalid_argument',
        detail: { field: 'brokers' },
      });
    },
    DEADLINE_MS,
  );

  test(
    'a port that speaks another protocol, or none, is passed over in time',
    async () => {
      const web = await listen((server) =>
        server.on('connection', (socket) => {
          socket.on('error', () => undefined);
          socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
        }),
      );
      const silent = await listen((server) =>
        server.on('connection', (socket) => socket.on('error', () => undefined).resume()),
      );
      const addresses = [web, silent].map((server) => addressOf(server));
      try {
        const log = await openKafkaLog(fresh({ brokers: [...addresses, ...cluster.bootstrap] }), parts);
        await log.close();
        const limits = { requestMs: 500, retryMs: 100 };
        const error = await openKafkaLog(fresh({ brokers: addresses, limits }), parts).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject({ code: 'unavailable' });
      } finally {
        await Promise.all([web, silent].map((server) => new Promise((resolve) => server.close(resolve))));
      }
    },
    DEADLINE_MS,
  );

  test(
    'an append or a read without an answer ends in time, and the log continues',
    async () => {
      const options = fresh({ limits: { recordBytes: RECORD_BYTES, connectMs: 1000, requestMs: 1000, retryMs: 500 } });
      await prepareTopics(fresh({ topicPrefix: options.topicPrefix }), PLAN, parts);
      const log = await openKafkaLog(options, parts);
      const writer = await log.writer('points', 0);
      await writer.append(0, new Uint8Array(10));
      const broker = cluster.broker(1);
      await broker.freeze();
      try {
        const startMs = performance.now();
        const waiting = new AbortController();
        const read = log.read('points', 0, 1, { maxBytes: 1000, waitMs: 60_000, signal: waiting.signal });
        await expect(writer.append(1, new Uint8Array(10))).rejects.toMatchObject({
          code: /deadline_exceeded|unavailable/,
        });
        await expect(log.bounds('points', 0)).rejects.toMatchObject({ detail: { topic: 'points', partition: 0 } });
        waiting.abort();
        expect(await read.catch(() => [])).toEqual([]);
        expect(performance.now() - startMs).toBeLessThan(30_000);
      } finally {
        broker.thaw();
      }
      const settled = async (): Promise<number> => {
        for (;;) {
          try {
            return (await writer.append(1, new Uint8Array(10))).offset;
          } catch {
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }
      };
      expect(await settled()).toBe(1);
      expect((await log.bounds('points', 0)).next).toBe(2);
      await log.close();
      await expect(log.bounds('points', 0)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(writer.append(2, new Uint8Array(10))).rejects.toMatchObject({ code: 'unavailable' });
    },
    DEADLINE_MS,
  );
});

function listen(prepare: (server: Server) => void): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    prepare(server);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function addressOf(server: Server): string {
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
