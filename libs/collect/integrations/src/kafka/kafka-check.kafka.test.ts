import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import { SystemClock } from '@tidemark/node-runtime';
import { Readings } from '../testing/readings.ts';
import { KafkaCheck } from './kafka-check.ts';
import type { KafkaInstance } from './kafka-instance.ts';

const TIMEOUT_MS = 20_000;
const FILES: Readonly<Record<string, string | undefined>> = { password: 'secret\n', wrong: 'guess' };

/** Runs a check once; returns its readings, error and detail. */
async function runOnce(instance: KafkaInstance, files = FILES) {
  const readText = async (path: string): Promise<string> => files[path] ?? Promise.reject(new Error(`no ${path}`));
  const check = new KafkaCheck(
    { timeoutMs: TIMEOUT_MS, intervalMs: TIMEOUT_MS, ...instance },
    { clock: new SystemClock(), readText },
  );
  const readings = new Readings();
  const error = await check.run(readings, new AbortController().signal).then(
    () => '',
    (reason: Error) => reason.message,
  );
  return { readings, error, detail: check.detail() };
}

await kafkaSuite('three real brokers', () => {
  let cluster: KafkaCluster;

  beforeAll(async () => {
    cluster = await KafkaCluster.start({ brokers: 3 });
    const { Admin, Producer } = await import('@platformatic/kafka');
    const options = { clientId: 'test', bootstrapBrokers: [...cluster.bootstrap], retries: 20 };
    const admin = new Admin(options);
    const create = (topic: string, brokers: readonly number[][]): Promise<unknown> => {
      const assignments = brokers.map((replicas, partition) => ({ partition, brokers: replicas }));
      return admin.createTopics({ topics: [topic], partitions: -1, replicas: -1, assignments });
    };
    await create('orders', [
      [1, 3],
      [3, 1],
    ]);
    // Two partitions, each with a single replica.
    await create('single', [[1], [3]]);
    const producer = new Producer(options);
    const value = Buffer.from('x');
    const messages = Array.from({ length: 10 }, () => ({ topic: 'orders', partition: 1, value }));
    await producer.send({ messages, acks: -1 });
    await admin.alterConsumerGroupOffsets({
      groupId: 'billing',
      topics: [{ name: 'orders', partitionOffsets: [{ partition: 1, offset: 4n }] }],
    });
    await producer.close();
    await admin.close();
  }, KAFKA_START_MS);

  afterAll(() => cluster?.close());

  test(
    'a run reports brokers, offsets and the lag of a group',
    async () => {
      const { readings, error, detail } = await runOnce({
        brokers: cluster.bootstrap,
        groups: ['billing', 'absent'],
        tags: ['env:test'],
      });
      expect(error).toBe('');
      expect(detail).toEqual({ cluster: expect.any(String), brokers: 3, topics: 2, partitions: 4 });
      const own = [`bootstrap_server:${cluster.bootstrap[0]}`, 'env:test', `kafka_cluster_id:${detail.cluster}`];
      const of = (metric: string, ...tags: string[]): number[] => readings.values(metric, ...own, ...tags);
      expect(readings.values('kafka.can_connect', 'env:test')).toEqual([1]);
      expect(of('kafka.broker.count')).toEqual([3]);
      for (const id of [1, 2, 3]) expect(of('kafka.broker.up', `broker_id:${id}`)).toEqual([1]);
      expect(of('kafka.topic.partitions', 'topic:orders')).toEqual([2]);
      expect(of('kafka.replication.under_replicated_partitions')).toEqual([0]);
      expect(of('kafka.replication.offline_partitions_count')).toEqual([0]);
      expect(of('kafka.broker_offset', 'topic:orders', 'partition:1')).toEqual([10]);
      expect(of('kafka.broker_offset', 'topic:orders', 'partition:0')).toEqual([0]);
      expect(of('kafka.partition.beginning_offset', 'topic:orders', 'partition:1')).toEqual([0]);
      expect(of('kafka.partition.isr', 'topic:orders', 'partition:0')).toEqual([2]);
      expect(of('kafka.consumer_offset', 'consumer_group:billing')).toEqual([4]);
      expect(of('kafka.consumer_lag', 'consumer_group:billing', 'topic:orders', 'partition:1')).toEqual([6]);
      expect(of('kafka.consumer_lag', 'consumer_group:absent')).toEqual([]);
      // Kafka's own topics are left out.
      expect(readings.tags('kafka.topic.partitions').some((tags) => tags.includes('__consumer_offsets'))).toBe(false);
    },
    KAFKA_START_MS,
  );

  test(
    'a run reports only the named topics that exist, up to the limit of partitions',
    async () => {
      const brokers = ['127.0.0.1:1', ...cluster.bootstrap];
      const { readings, error, detail } = await runOnce({ brokers, topics: ['orders', 'none'], partitions: 1 });
      expect(error).toBe('');
      expect(readings.tags('kafka.broker_offset').length).toBe(1);
      expect(detail).toMatchObject({ topics: 1, partitions: 2, partitions_over_limit: 1 });
    },
    KAFKA_START_MS,
  );

  test(
    'after a broker died, a run reports under-replicated and offline partitions, and all other metrics',
    async () => {
      await cluster.broker(3).kill();
      const endMs = performance.now() + KAFKA_START_MS / 2;
      let seen = await runOnce({ brokers: cluster.bootstrap });
      while (seen.readings.values('kafka.replication.offline_partitions_count')[0] !== 1) {
        if (performance.now() > endMs) throw new Error(`not seen: ${seen.error} ${JSON.stringify(seen.detail)}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
        seen = await runOnce({ brokers: cluster.bootstrap });
      }
      const { readings } = seen;
      expect(readings.values('kafka.can_connect')).toEqual([1]);
      expect(readings.values('kafka.partition.offline', 'topic:single', 'partition:1')).toEqual([1]);
      expect(readings.values('kafka.partition.offline', 'topic:single', 'partition:0')).toEqual([0]);
      expect(readings.values('kafka.broker_offset', 'topic:single', 'partition:0')).toEqual([0]);
      expect(readings.values('kafka.partition.under_replicated', 'topic:orders')).toEqual([1, 1]);
      await cluster.broker(1).freeze();
      const half = await runOnce({ brokers: cluster.bootstrap, timeoutMs: 6_000 });
      expect(half.readings.values('kafka.broker.up', 'broker_id:1').filter((up) => up !== 0)).toEqual([]);
      const frozen = await runOnce({ brokers: [cluster.bootstrap[0]], timeoutMs: 3_000 });
      expect(frozen.readings.values('kafka.can_connect')).toEqual([0]);
      expect(frozen.error).toMatch(/no broker answers|no complete response/);
    },
    KAFKA_START_MS,
  );
});

await kafkaSuite('a broker with a password, over TLS', () => {
  let cluster: KafkaCluster;

  beforeAll(async () => {
    const users = { agent: 'secret' };
    cluster = await KafkaCluster.start({ brokers: 1, security: { protocol: 'SASL_SSL', users } });
  }, KAFKA_START_MS);

  afterAll(() => cluster?.close());

  test(
    'a run succeeds with the right password, and fails with a wrong one or an untrusted certificate',
    async () => {
      const files = { ...FILES, ca: cluster.certificate };
      const sasl = { mechanism: 'PLAIN', user: 'agent', passwordFile: 'password' } as const;
      const instance = { brokers: cluster.bootstrap, tls: true, caFile: 'ca', sasl };
      const good = await runOnce(instance, files);
      expect(good.error).toBe('');
      expect(good.readings.values('kafka.broker.count')).toEqual([1]);
      for (const bad of [
        { ...instance, sasl: { ...sasl, passwordFile: 'wrong' } },
        { ...instance, sasl: { ...sasl, passwordFile: 'missing' } },
        { ...instance, caFile: '' },
        { ...instance, tls: false },
      ]) {
        const { readings, error } = await runOnce(bad, files);
        expect(error).not.toBe('');
        expect(error).not.toContain('secret');
        expect(readings.metrics).toEqual(['kafka.can_connect']);
        expect(readings.values('kafka.can_connect')).toEqual([0]);
      }
    },
    KAFKA_START_MS,
  );
});
