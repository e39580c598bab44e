import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

const DEADLINE_MS = 60_000;
const RECORD_BYTES = 64 * 1024;
const parts = { clock: new SystemClock(), random: new SystemRandom() };
const PASSWORDS = { tidemark: 'correct horse', stranger: 'no rights' };
const PLAN: TopicPlan = {
  partitions: { points: 1 },
  replication: 1,
  minInSync: 1,
  allowsSingleCopy: true,
  recordBytes: RECORD_BYTES,
};

async function checkTopics(...asked: Parameters<typeof topicProblems>): Promise<void> {
  refuseTopics(await topicProblems(...asked));
}

await kafkaSuite('a broker that requires TLS and a password', () => {
  let cluster: KafkaCluster;

  beforeAll(async () => {
    cluster = await KafkaCluster.start({
      brokers: 1,
      security: { protocol: 'SASL_SSL', users: PASSWORDS },
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // ANONYMOUS is the user of the brokers themselves, whose listener needs no authentication.
        'super.users': 'User:tidemark;User:ANONYMOUS',
      },
    });
  }, KAFKA_START_MS);
  afterAll(() => cluster.close());

  function options(more: Partial<KafkaLogOptions> = {}): KafkaLogOptions {
    return {
      brokers: cluster.bootstrap,
      clientId: 'test',
      topicPrefix: 'secure-',
      limits: { connectMs: 20_000, requestMs: 20_000, retryMs: 1000, recordBytes: RECORD_BYTES },
      tls: { ca: cluster.certificate },
      sasl: { mechanism: 'PLAIN', username: 'tidemark', password: PASSWORDS.tidemark },
      ...more,
    };
  }

  async function refusal(more: Partial<KafkaLogOptions>): Promise<unknown> {
    try {
      await (await openKafkaLog(options(more), parts)).close();
      return 'opened';
    } catch (error) {
      return error;
    }
  }

  test(
    'PLAIN and SCRAM over TLS are accepted',
    async () => {
      await prepareTopics(options(), PLAN, parts);
      for (const mechanism of ['PLAIN', 'SCRAM-SHA-512'] as const) {
        const sasl = { mechanism, username: 'tidemark', password: PASSWORDS.tidemark };
        const log = await openKafkaLog(options({ sasl }), parts);
        const writer = await log.writer('points', 0);
        const { offset } = await writer.append(0, Buffer.from(mechanism));
        const [record] = await log.read('points', 0, offset, { maxBytes: 1000, waitMs: 0 });
        expect(String(record.value)).toBe(mechanism);
        await log.close();
      }
    },
    DEADLINE_MS,
  );

  test(
    'a wrong password is refused, and the message does not contain it',
    async () => {
      for (const mechanism of ['PLAIN', 'SCRAM-SHA-512'] as const) {
        const error = await refusal({ sasl: { mechanism, username: 'tidemark', password: 'wrong battery' } });
        expect(error).toMatchObject({ code: 'unauthenticated' });
        expect(String(error)).not.toContain('wrong battery');
      }
    },
    DEADLINE_MS,
  );

  test(
    'an untrusted certificate is refused, and so is a connection without TLS to a port with TLS',
    async () => {
      expect(await refusal({ tls: {} })).toMatchObject({ code: 'failed_precondition' });
      expect(String(await refusal({ tls: {} }))).toMatch(/certificate/);
      expect(String(await refusal({ tls: undefined, sasl: undefined }))).toContain('requires TLS, and no TLS is set');
    },
    DEADLINE_MS,
  );

  test(
    'the error for a user without rights names the missing ones',
    async () => {
      await prepareTopics(options(), PLAN, parts);
      const sasl = { mechanism: 'PLAIN', username: 'stranger', password: PASSWORDS.stranger } as const;
      const log = await openKafkaLog(options({ sasl }), parts);
      await expect(log.writer('points', 0)).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(log.read('points', 0, 0, { maxBytes: 1000, waitMs: 0 })).rejects.toThrow(
        /grant it Read, Write and Describe/,
      );
      // A topic that the user may not see is not reported as missing.
      for (const check of [checkTopics, prepareTopics]) {
        await expect(check(options({ sasl }), PLAN, parts)).rejects.toMatchObject({
          code: 'permission_denied',
          message: expect.stringContaining('no right to the topic'),
        });
      }
      await log.close();
    },
    DEADLINE_MS,
  );
});
