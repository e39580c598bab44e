import { afterAll, beforeAll } from '@jest/globals';
import { logConformance } from '@tidemark/conformance';
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { assert } from '@tidemark/ports';
import { type KafkaLog, KafkaWriter, openKafkaLog, prepareTopics } from './index.ts';

const RECORD_BYTES = 4096;
const parts = { clock: new SystemClock(), random: new SystemRandom() };

await kafkaSuite('a log on three brokers', () => {
  let cluster: KafkaCluster;
  let cases = 0;

  beforeAll(async () => {
    cluster = await KafkaCluster.start({ brokers: 3 });
  }, KAFKA_START_MS);
  afterAll(() => cluster.close());

  logConformance(
    'Kafka',
    async () => {
      cases++;
      const options = {
        brokers: cluster.bootstrap,
        clientId: 'conformance',
        topicPrefix: `case-${cases}-`,
        limits: { recordBytes: RECORD_BYTES, requestMs: 20_000, retryMs: 10_000 },
      };
      await prepareTopics(options, { partitions: { points: 2 }, recordBytes: RECORD_BYTES }, parts);
      let log: KafkaLog = await openKafkaLog(options, parts);
      return {
        log,
        async restart() {
          await log.close();
          log = await openKafkaLog(options, parts);
          return log;
        },
        resume(_log, writer) {
          assert(writer instanceof KafkaWriter, 'a writer of this log');
          return log.resumeWriter('points', 0, writer.producer);
        },
        close: () => log.close(),
      };
    },
    { tooLargeBytes: RECORD_BYTES + 1, trimRecords: 10 },
  );
});
