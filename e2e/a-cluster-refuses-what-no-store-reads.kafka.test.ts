import { credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ControlClient, type SkipReply } from '@tidemark/contract';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import { openKafkaLog } from '@tidemark/kafka-log';
import type { LocalCluster } from '@tidemark/local-cluster';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { callUnary } from '@tidemark/rpc';
import { ClusterHarness } from './process/cluster-harness.ts';
import { eventually } from './process/eventually.ts';
import { metricOf } from './process/metric-of.ts';

const WAIT_MS = 60_000;
const TEST_MS = 180_000;
/** Default of `kafka.topicPrefix`. */
const TOPIC_PREFIX = 'tidemark-';
const HALTED = 1;
/** One metric of each partition. */
const [healthy, stuck] = [0, 1].map((partition) => metricOf(partition, 'flow'));

await kafkaSuite('a cluster whose stores of one partition are all halted', () => {
  let harness: ClusterHarness;
  let cluster: LocalCluster;

  beforeAll(async () => {
    harness = await ClusterHarness.start(async () => ({
      ...{ partitions: 2, intakes: 2, pointStores: 2, tagStores: 1, aggregators: 0 },
      settings: { intake: { haltedMs: 1000 }, lane: { lingerMs: 20, openDelayMs: 200 }, store: { threads: 1 } },
      client: { name: 'the test', flushIntervalMs: 100 },
    }));
    ({ cluster } = harness);
  }, KAFKA_START_MS * 2);

  afterAll(() => harness?.close(), WAIT_MS);

  /** Appends a record that no store can decode, and returns its offset. */
  async function damage(): Promise<number> {
    const context = { clock: new SystemClock(), random: new SystemRandom() };
    const log = await openKafkaLog(
      { brokers: harness.kafka.bootstrap, clientId: 'test', topicPrefix: TOPIC_PREFIX },
      context,
    );
    try {
      const { offset } = await (await log.writer('points', HALTED)).append(0, Buffer.from('not a block'));
      return offset;
    } finally {
      await log.close();
    }
  }

  /** Sends a point to each intake; returns the statuses of the answers. */
  function send(metric: string): Promise<number[]> {
    const series = [{ metric, type: 1, points: [{ timestamp: Date.now() / 1000, value: 1 }] }];
    const body = JSON.stringify({ series });
    return Promise.all(
      cluster.of('intake').map(async (intake) => {
        const url = `http://${cluster.address(intake, 'http')}/api/v2/series`;
        const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        await reply.text();
        return reply.status;
      }),
    );
  }

  const answers = (metric: string, status: number) =>
    eventually(
      `${status} for ${metric} at each intake`,
      async () => (await send(metric)).every((one) => one === status),
      WAIT_MS,
      200,
    );

  test(
    'acknowledges nothing into it at any intake, also after restarts, until one of them continues',
    async () => {
      await answers(stuck, 202);
      const offset = await damage();
      await answers(stuck, 503);
      expect(await send(healthy)).toEqual([202, 202]);

      // A coordinator and a store that start again do not end the halt.
      for (const process of [cluster.of('coordinator')[0], cluster.of('point-store')[0], cluster.of('intake')[0]]) {
        await process.kill();
        process.spawn();
      }
      await eventually(
        'the intake to be back',
        () =>
          send(healthy).then(
            (all) => all.every((one) => one === 202),
            () => false,
          ),
        WAIT_MS,
        200,
      );
      expect(await send(stuck)).toEqual([503, 503]);

      const control = new ControlClient(
        cluster.address(cluster.of('coordinator')[0], 'grpc'),
        credentials.createInsecure(),
      );
      const skip = { topic: 'points', partition: HALTED, offset, reason: 'bit rot' };
      await eventually(
        'the skip to be accepted',
        () =>
          callUnary<SkipReply>((done) => control.skip(skip, new Metadata(), done)).then(
            () => true,
            () => false,
          ),
        WAIT_MS,
        200,
      );
      control.close();
      await answers(stuck, 202);
    },
    TEST_MS,
  );
});
