import { DEFAULT_KAFKA_LOG_LIMITS } from '@tidemark/kafka-log/options';
import * as z from 'zod';
import { addresses } from '../list-settings.ts';
import { choice, GIB, KIB, MIB, text, whole, yesOrNo } from '../setting.ts';

const K = DEFAULT_KAFKA_LOG_LIMITS;

/** The Kafka that carries the log of a cluster. */
export const KAFKA = z.strictObject({
  brokers: addresses(64 * KIB, 'Bootstrap brokers: `host:port, host:port`; the cluster reports the others.'),
  topicPrefix: text('tidemark-', 200, 'Prefix of the names of the topics, so that deployments can share a Kafka.'),
  replication: whole(
    3,
    'replicas',
    1,
    100,
    'Replicas of the topics that the coordinator creates, and the minimum that a process accepts at its start.',
  ),
  minInsync: whole(2, 'replicas', 1, 100, '`min.insync.replicas` of the topics that the coordinator creates.'),
  allowSingleReplica: yesOrNo(
    false,
    'Accepts topics with `min.insync.replicas` 1, for development only: a broker that dies may then lose acknowledged points.',
  ),
  tls: yesOrNo(false, 'Connects to the brokers with TLS.'),
  caFile: text(
    '',
    4096,
    'PEM file with the authorities that the certificates of the brokers must have; empty: those that Node knows.',
  ),
  certFile: text('', 4096, 'PEM file with the certificate of this client, for brokers that require one.'),
  keyFile: text('', 4096, 'PEM file with the private key of `kafka.certFile`.'),
  saslMechanism: choice(
    'none',
    ['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
    'Authentication mechanism; use PLAIN only with TLS.',
  ),
  saslUser: text('', 255, 'User name for SASL.'),
  saslPasswordFile: text('', 4096, 'File with the password for SASL, which is never logged.'),
  saslPassword: text('', 1024, 'Password for SASL, if no file is given.', { isSecret: true }),
  recordBytes: whole(
    K.recordBytes,
    'bytes',
    MIB,
    256 * MIB,
    'Size of one record. `max.message.bytes` of the topics must be slightly larger.',
  ),
  inFlightBytes: whole(
    K.inFlightBytes,
    'bytes',
    MIB,
    16 * GIB,
    'Records that are being sent to the brokers; others wait.',
  ),
  readBytes: whole(K.readBytes, 'bytes', 64 * KIB, 256 * MIB, 'Size of one read from a broker.'),
  appendConnections: whole(K.appendConnections, 'connections', 1, 1000, 'Connections to one broker for appends.'),
  readConnections: whole(
    K.readConnections,
    'connections',
    1,
    10_000,
    'Connections to one broker for reads: each read that waits for a record uses one.',
  ),
  waitingRequests: whole(K.waitingRequests, 'requests', 1, 1_000_000, 'Requests that may wait for a connection.'),
  connectMs: whole(K.connectMs, 'ms', 100, 600_000, 'How long a connection may take to open.'),
  requestMs: whole(K.requestMs, 'ms', 1000, 600_000, 'How long a broker may take to answer.'),
  retryMs: whole(K.retryMs, 'ms', 0, 600_000, 'How long temporary failures, such as a new leader, are retried.'),
  readWaitMs: whole(K.readWaitMs, 'ms', 10, 600_000, 'How long one read may wait at a broker for a record.'),
});
